// Package usage records who has pulled what, hour by hour, and reports it.
//
//	Pulled, Checked ─▶ rows of this hour, in memory
//	Flush ───────────▶ metadata.Usages: what came since the last Flush is added
//	Report ──────────▶ CSV with Docker Hub's column names, or JSON
//
// Rows tell hours, principals, repositories, tags, digests, personal tokens and
// addresses apart. How many there may be in an hour is bounded: what comes beyond
// is added up with less detail, so that nobody who has many addresses fills the
// database. Rows older than Keep are dropped.
package usage
