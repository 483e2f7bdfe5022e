package pipeline

import (
	"context"

	"recoup/detectors"
	"recoup/invoice"
)

// Block collects the rows of consecutive invoices of one partition until they
// are stored. It is used by one goroutine at a time.
type Block interface {
	// Append adds one scored invoice and its lines; it copies all it keeps.
	Append(inv *invoice.Invoice, v *detectors.Verdict, received int64)
	// Rows returns how many invoices the block holds.
	Rows() int
	// Bytes returns about how much memory the block holds.
	Bytes() int
	// Seal compresses the block while it waits; no Append may follow.
	Seal()
	// Drop removes the invoices at these source offsets, their lines too.
	Drop(offsets map[int64]bool)
	// Suspects returns source offset → suspect of every row, for comparing with
	// rows that are already stored.
	Suspects() map[int64]bool
}

// Owner names who inserts: the rows of one partition, in one epoch.
type Owner struct {
	Group       string // consumer group
	Topic       string // source of the invoices
	Incarnation int64  // raised when Topic was recreated; 0 at first
	Partition   int    // of Topic
	Epoch       int64  // offset of the ownership record in the decision log
}

// Store keeps scored invoices. All methods may be called concurrently. Errors
// are a broken world: the caller tries the same call again with back-off.
type Store interface {
	// NewBlock returns an empty block.
	NewBlock() Block
	// Insert stores the lines first, then the invoices, once however often it is
	// called with the same block. n counts the owner's inserts from 0. Right before
	// each insert it sends, whatever it waited for until then, it asks hold whether the
	// owner may still make it; if not it returns hold's error, and sends nothing more.
	Insert(ctx context.Context, owner Owner, n int64, block Block, hold func(context.Context) error) error
	// Hurry lets inserts go at once from now on that would wait for their turn, so that a
	// server is not asked too often: the process stops, and few more come.
	Hurry()
	// Fence stops inserts of lower epochs of the same partition that are still
	// running and returns when none is.
	Fence(ctx context.Context, owner Owner) error
	// Stored returns source offset → suspect of the rows stored at or after from.
	Stored(ctx context.Context, owner Owner, from int64) (map[int64]bool, error)
	// Remove deletes the rows and lines at these source offsets that the owner or one
	// before it stored, for a row that contradicts the decision log. Right before each
	// deletion it sends it asks hold, as Insert does.
	Remove(ctx context.Context, owner Owner, offsets []int64, hold func(context.Context) error) error
	// Sweep removes the rows and lines that several epochs stored at source
	// offsets in [from, to), all but those of the highest: an owner that was paused
	// inside an insert may have woken up and stored them after all. It returns how
	// many invoices were stored more than once.
	Sweep(ctx context.Context, owner Owner, from, to int64) (int, error)
}
