package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/go-ldap/ldap/v3"
)

// maxAnswers bounds what the directory may send in one exchange, in bytes.
const maxAnswers = 4 << 20

var (
	errTooMuch  = errors.New("more than 4 MiB of answers")
	errNotLocal = errors.New("localhost is not this machine here, and passwords travel beyond it by TLS only")
)

// dial connects, with TLS if it is configured. The deadline of ctx is that of
// all that follows on the connection.
func (d *Directory) dial(ctx context.Context) (*ldap.Conn, error) {
	var dialer net.Dialer
	peer, err := dialer.DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = peer.SetDeadline(deadline) // a TCP connection takes it
	}
	conn, err := d.secure(ctx, &bounded{Conn: peer, left: maxAnswers})
	if err != nil {
		peer.Close()
		return nil, err
	}
	return conn, nil
}

func (d *Directory) secure(ctx context.Context, peer net.Conn) (*ldap.Conn, error) {
	if d.ldaps {
		secured := tls.Client(peer, d.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		peer = secured
	}
	if d.tls == nil && !d.o.Insecure && !local(peer.RemoteAddr()) {
		return nil, errNotLocal
	}
	conn := ldap.NewConn(peer, d.ldaps)
	conn.Start()
	if d.tls != nil && !d.ldaps {
		if err := conn.StartTLS(d.tls); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

func local(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// bounded is a connection from which no more than left bytes can be read.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
