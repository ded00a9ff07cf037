// Package storagetest is the acceptance and benchmark suite of the storage
// contract. A backend runs all of it in two lines:
//
//	func TestStore(t *testing.T)      { storagetest.Run(t, open) }
//	func BenchmarkStore(b *testing.B) { storagetest.Bench(b, open) }
//
// It asserts what package storage promises and nothing else: it looks at no
// file and no bucket, takes keys and states as opaque, and allows a key per
// digest as well as a key per upload. What a backend can do besides (a full
// disk, a damaged tree, the order of its system calls) it tests itself.
//
// A run closes and reopens the store between any two calls that the contract
// lets happen in two processes.
package storagetest
