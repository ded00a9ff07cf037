package ldap

// ConnectTo makes d connect to an address, whatever the host of its URL is.
func (d *Directory) ConnectTo(address string) { d.address = address }

// Fill is fill.
func Fill(filter, user, dn string) string { return fill(filter, user, dn) }
