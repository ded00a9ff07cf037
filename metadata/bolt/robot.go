package bolt

import (
	"context"
	"iter"

	"github.com/berth-registry/berth/metadata"
)

// Robot implements metadata.Robots.
func (s *Store) Robot(ctx context.Context, name string) (metadata.Robot, error) {
	return readRow[metadata.Robot](ctx, s, tableRobots, name)
}

// AddRobot implements metadata.Robots.
func (s *Store) AddRobot(ctx context.Context, r metadata.Robot) error {
	return s.writer.do(ctx, 0, func(c *change) error { return addRow(c, tableRobots, r.Name, r) })
}

// UpdateRobot implements metadata.Robots. edit may be called more than once,
// each time with what is stored.
func (s *Store) UpdateRobot(ctx context.Context, name string, edit func(*metadata.Robot) error) error {
	keeps := func(before, after metadata.Robot) bool { return before.Name == after.Name }
	return s.writer.do(ctx, 0, func(c *change) error { return updateRow(c, tableRobots, name, edit, keeps) })
}

// RemoveRobot implements metadata.Robots.
func (s *Store) RemoveRobot(ctx context.Context, name string) error {
	return s.writer.do(ctx, 0, func(c *change) error { return removeRow(c, tableRobots, name) })
}

// Robots implements metadata.Robots.
func (s *Store) Robots(ctx context.Context, after string) iter.Seq2[metadata.Robot, error] {
	return list(ctx, s, tableRobots, nil, []byte(after), func(_, v []byte) (metadata.Robot, error) { return decodeRow[metadata.Robot](v) })
}
