// Package metadatatest is the acceptance and benchmark suite of
// metadata.Store: what every implementation has to pass, and the yardstick
// for its speed. An implementation calls it in two lines,
//
//	func TestStore(t *testing.T)      { metadatatest.Run(t, fresh) }
//	func BenchmarkStore(b *testing.B) { metadatatest.Bench(b, fresh) }
//
// with a function that prepares an empty place and returns how to open the
// store in it. Where the contract promises durability, the suite closes the
// store and opens it again before it looks.
//
// The suite knows the contract and nothing of any implementation. It neither
// sleeps nor depends on a clock.
package metadatatest
