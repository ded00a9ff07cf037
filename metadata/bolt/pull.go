package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// PutPullLimit implements metadata.PullLimits.
func (s *Store) PutPullLimit(ctx context.Context, l metadata.PullLimit) error {
	if l.Key == "" {
		return errors.New("put a pull limit: the key is empty")
	}
	return s.writer.do(ctx, 0, func(c *change) error { return storeRow(c, tableLimits, l.Key, l) })
}

// RemovePullLimit implements metadata.PullLimits.
func (s *Store) RemovePullLimit(ctx context.Context, key string) error {
	return s.writer.do(ctx, 0, func(c *change) error { return removeRow(c, tableLimits, key) })
}

// ExpirePullLimits implements metadata.PullLimits.
func (s *Store) ExpirePullLimits(ctx context.Context, now time.Time) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		var expired [][]byte
		err := c.tx.Bucket([]byte(tableLimits)).ForEach(func(k, v []byte) error {
			l, err := decodeRow[metadata.PullLimit](v)
			if err == nil && !l.Expires.IsZero() && !now.Before(l.Expires) {
				expired = append(expired, bytes.Clone(k))
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, k := range expired {
			if err := c.delete(tableLimits, k); err != nil {
				return err
			}
		}
		return nil
	})
}

// PullLimits implements metadata.PullLimits.
func (s *Store) PullLimits(ctx context.Context, after string) iter.Seq2[metadata.PullLimit, error] {
	return list(ctx, s, tableLimits, nil, []byte(after), func(_, v []byte) (metadata.PullLimit, error) { return decodeRow[metadata.PullLimit](v) })
}

// AddUsage implements metadata.Usages.
func (s *Store) AddUsage(ctx context.Context, rows []metadata.Usage) error {
	size := 0
	keys := make([][]byte, len(rows))
	for i, u := range rows {
		var err error
		if keys[i], err = usageKey(u.UsageKey); err != nil {
			return err
		}
		size += len(keys[i])
	}
	return s.writer.do(ctx, size, func(c *change) error {
		for i, u := range rows {
			pulls, checks, err := decodeUsage(get(c.tx, tableUsage, keys[i]))
			if err != nil {
				return err
			}
			if err := c.put(tableUsage, keys[i], encodeUsage(pulls+u.Pulls, checks+u.Checks)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Usage implements metadata.Usages.
func (s *Store) Usage(ctx context.Context, from, to time.Time) iter.Seq2[metadata.Usage, error] {
	return func(yield func(metadata.Usage, error) bool) {
		after := hourKey(nil, from)
		for u, err := range list(ctx, s, tableUsage, nil, after, parseUsage) {
			if err == nil && !u.Hour.Before(to) {
				return
			}
			if !yield(u, err) {
				return
			}
		}
	}
}

// DropUsage implements metadata.Usages.
func (s *Store) DropUsage(ctx context.Context, before time.Time, n int) (int, error) {
	var old [][]byte
	err := s.writer.do(ctx, 0, func(c *change) error {
		old = nil
		end := hourKey(nil, before.Add(time.Hour-time.Nanosecond))
		cursor := c.tx.Bucket([]byte(tableUsage)).Cursor()
		for k, _ := cursor.First(); k != nil && len(old) < n && bytes.Compare(k, end) < 0; k, _ = cursor.Next() {
			old = append(old, bytes.Clone(k))
		}
		for _, k := range old {
			if err := c.delete(tableUsage, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(old), nil
}

// hourKey appends the hour that a time is in.
func hourKey(dst []byte, t time.Time) []byte {
	hours := min(max(t.Unix(), 0)/3600, math.MaxUint32)
	return binary.BigEndian.AppendUint32(dst, uint32(hours))
}

// maxUsageKey is as long as a key of bbolt may be.
const maxUsageKey = 32 << 10

// usageKey is the hour, then texts with their lengths, then the digest.
func usageKey(k metadata.UsageKey) ([]byte, error) {
	b := hourKey(make([]byte, 0, 256), k.Hour)
	for _, s := range [...]string{k.User, k.Repo, k.Tag, k.Token, k.Client} {
		b = appendString(b, s)
	}
	b = appendDigest(b, k.Digest)
	if len(b) > maxUsageKey {
		return nil, errors.New("add usage: the names are too long")
	}
	return b, nil
}

func parseUsage(k, v []byte) (u metadata.Usage, err error) {
	if len(k) < 4 {
		return u, errRecord
	}
	u.Hour = time.Unix(int64(binary.BigEndian.Uint32(k))*3600, 0).UTC()
	r := decoder{b: k[4:]}
	for _, s := range [...]*string{&u.User, &u.Repo, &u.Tag, &u.Token, &u.Client} {
		*s = r.string()
	}
	digest, rest := oci.Digest(""), []byte(nil)
	if len(r.b) != 1 || r.b[0] != noDigest {
		var ok bool
		if digest, rest, ok = cutDigest(r.b); !ok || len(rest) > 0 {
			return u, errRecord
		}
	}
	u.Digest = digest
	if r.bad {
		return u, errRecord
	}
	u.Pulls, u.Checks, err = decodeUsage(v)
	return u, err
}

func encodeUsage(pulls, checks int64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(present(), uint64(pulls)), uint64(checks))
}

// decodeUsage returns zeros for a row that is not there.
func decodeUsage(v []byte) (pulls, checks int64, err error) {
	if v == nil {
		return 0, 0, nil
	}
	r := decode(v)
	pulls, checks = int64(r.uvarint()), int64(r.uvarint())
	if r.bad {
		return 0, 0, errRecord
	}
	return pulls, checks, nil
}
