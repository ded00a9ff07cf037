package memory

import "errors"

// Save writes what changed since the last Save. After an error nothing is lost
// but time: the next Save writes everything.
func (c *Counters) Save() error {
	if c.file == nil {
		c.settle()
		return nil
	}
	c.file.mu.Lock()
	defer c.file.mu.Unlock()
	if c.file.outdated() {
		return c.saveAll()
	}
	for i := range c.shards {
		c.file.buf = c.shards[i].appendChanged(c.file.buf)
	}
	return c.file.append()
}

// Close saves, and closes the file. What is counted afterwards is not kept.
func (c *Counters) Close() error {
	err := c.Save()
	if c.file == nil {
		return err
	}
	return errors.Join(err, c.file.close())
}

// saveAll writes the file anew. The file is locked.
func (c *Counters) saveAll() error {
	c.file.stale = true // until it is done
	next, err := c.file.begin()
	if err != nil {
		return err
	}
	for i := range c.shards {
		next.buf = c.shards[i].appendAll(next.buf)
		if err := next.append(); err != nil {
			return errors.Join(err, next.f.Close())
		}
	}
	return c.file.replace(next)
}

// appendChanged appends the records of what changed.
func (s *shard) appendChanged(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.changed {
		b = appendRecord(b, key, s.entries.get(key))
	}
	s.unchanged()
	return b
}

// appendAll appends the records of everything. What is empty needs none.
func (s *shard) appendAll(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.entries.all() {
		if e.window.Empty() {
			continue
		}
		b = appendRecord(b, key, e)
	}
	s.unchanged()
	return b
}

// unchanged forgets what changed. s is locked.
func (s *shard) unchanged() {
	for _, key := range s.changed {
		s.entries.get(key).changed = false
	}
	s.changed = s.changed[:0]
	if cap(s.changed) > 256 { // a rush is over
		s.changed = nil
	}
}

// settle is Save without a file.
func (c *Counters) settle() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.unchanged()
		s.mu.Unlock()
	}
}
