package ldap

import "context"

// ConnectTo makes d connect to an address, whatever the host of its URL is.
func (d *Directory) ConnectTo(address string) { d.address = address }

// Fill is fill.
func Fill(filter, user, dn string) string { return fill(filter, user, dn) }

// Exchange is exchange, which has until the end of ctx.
func (d *Directory) Exchange(ctx context.Context, name, password string) error {
	_, err := d.exchange(ctx, question{name: name, password: password})
	return err
}
