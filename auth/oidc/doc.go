// Package oidc lets people log in with a browser at a provider of OpenID
// Connect (Core 1.0, authorization code flow).
//
//	Begin ──▶ where the browser goes, and a secret for its cookie
//	             state, nonce and PKCE verifier are HMACs of that secret
//	browser ──▶ provider ──▶ browser, with ?code=…&state=…
//	Finish(secret, query)
//	  ─▶ state is that of the secret     a login that this browser has begun
//	  ─▶ code + verifier ──▶ ID token    signature, iss, aud, exp, nonce, at_hash
//	  ─▶ user info, for claims that the ID token lacks
//	  ─▶ require, name, groups ──▶ auth.Person ──▶ Admit ──▶ auth.Principal
//
// Nothing is kept here between the two steps: the cookie has all there is, and
// any replica may finish what another has begun.
//
// A person is the provider's issuer and subject, whatever the name: who has
// another name there tomorrow keeps the account here, and who gets a name that
// somebody else has had does not get the account. The groups are those of this
// login and no others. Nothing the provider sends is believed beyond its
// bounds: an answer has 10 s and 1 MiB, redirects are not followed. The package
// makes no tokens and knows no cookies; server does, and time is an argument.
package oidc
