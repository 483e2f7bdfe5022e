package sinks

import (
	"context"
	"fmt"
	"time"
)

const (
	// mutationPoll is how often AwaitMutations looks.
	mutationPoll = 500 * time.Millisecond
	// mutationPatience is how long a mutation may fail: the server tries again, and what
	// lacked memory for a moment, or met a merge, succeeds.
	mutationPatience = 5 * time.Second
)

// mutation is one command that the server has not carried out on all parts.
type mutation struct {
	table, command string
	parts          int64  // still to rewrite
	failure        string // of the last try; empty when it did not fail
}

// AwaitMutations returns once ClickHouse has rewritten all parts that were to be
// rewritten when it was called: Migrate leaves that to the server, and the deletes of
// a take-over queue behind it. It tells progress how many parts are left, again and
// again; with nothing to wait for, never. One that goes on failing is an error. When
// ctx ends the server goes on.
func AwaitMutations(ctx context.Context, s Settings, progress func(left int64)) error {
	c, err := connect(s)
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	var now int64 // the server's clock; what members delete from now on is none of ours
	err = c.each(ctx, statement{sql: "SELECT toInt64(toUnixTimestamp(now()))"},
		func(scan func(...any) error) error { return scan(&now) })
	if err != nil {
		return explain("ask ClickHouse for its time", err)
	}
	for failing, before := (time.Time{}), int64(0); ; {
		left, failed, err := c.mutations(ctx, now)
		switch {
		case err != nil:
			return explain("look for parts that are to be rewritten", err)
		case left == 0:
			return nil
		case failed == nil, left < before: // it goes on
			failing = time.Time{}
		case failing.IsZero():
			failing = time.Now()
		case time.Since(failing) >= mutationPatience:
			return fmt.Errorf("cannot rewrite table %s, %s: %s; ClickHouse tries again by itself: mend the cause, then "+
				"wait with `recoup migrate`", c.in(failed.table), failed.command, failed.failure)
		}
		before = left
		progress(left)
		if err := sleep(ctx, mutationPoll); err != nil {
			return err
		}
	}
}

// mutations returns how many parts the mutations that began by a second of the server's
// clock still have to rewrite, and one of them that fails.
func (c *client) mutations(ctx context.Context, by int64) (left int64, failed *mutation, err error) {
	// One that has no part left, but is not done yet, counts.
	err = c.each(ctx, statement{
		sql: "SELECT table, command, greatest(parts_to_do, 1), latest_fail_reason FROM system.mutations " +
			"WHERE database = {database:String} AND NOT is_done AND toUnixTimestamp(create_time) <= {by:Int64} " +
			"ORDER BY table, create_time",
		parameters: map[string]string{"database": c.settings.Database, "by": fmt.Sprint(by)}},
		func(scan func(...any) error) error {
			var m mutation
			if err := scan(&m.table, &m.command, &m.parts, &m.failure); err != nil {
				return err
			}
			left += m.parts
			if failed == nil && m.failure != "" {
				failed = &m
			}
			return nil
		})
	return left, failed, err
}
