package simulation_test

import (
	"context"
	"fmt"
	"time"

	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// storeView is a process's view of the store.
type storeView struct {
	p *process
	*memstore.Store
}

// Insert makes two effects: lines and rows. Each begins when the fence has let it pass, and
// the next one asks only after what happens behind the one before.
func (v storeView) Insert(ctx context.Context, owner pipeline.Owner, n int64, block pipeline.Block,
	hold func(context.Context) error) error {
	var now *effect
	end := func(err error) error {
		was := now
		if now = nil; was == nil {
			return err
		}
		return was.end(ctx, err)
	}
	parts := []string{"lines", "rows"}
	err := v.Store.Insert(ctx, owner, n, block, func(ctx context.Context) error {
		if err := end(nil); err != nil {
			return err
		}
		what := fmt.Sprintf("insert %d %s of %d, epoch %d", block.Rows(), parts[0], owner.Partition, owner.Epoch)
		took(v.p.chance("turn of "+what), awake)
		time.Sleep(awake) // nobody asks here who was just woken up
		if err := hold(ctx); err != nil {
			return err
		}
		var err error
		if now, err = v.p.begin(ctx, group, what); err != nil {
			return err
		}
		parts = parts[1:]
		return v.insert(owner, block, now.torn)
	})
	if err == nil {
		v.p.s.noteStored(v.p, owner, block)
	}
	return end(err)
}

// insert is the instant of one insert: an error is the store's.
func (v storeView) insert(owner pipeline.Owner, block pipeline.Block, torn fault) error {
	switch {
	case v.p.s.away():
		return errAway
	case torn == dieTorn || torn == failTorn:
		return errFault
	case torn == pauseTorn:
		v.p.s.setInserting(owner, v.p)
	}
	v.p.s.checkInsert(v.p, owner, block)
	return nil
}

func (v storeView) Fence(ctx context.Context, owner pipeline.Owner) error {
	return v.ask(ctx, "fence", owner, func() error { return v.Store.Fence(ctx, owner) })
}

func (v storeView) Stored(ctx context.Context, owner pipeline.Owner, from int64) (stored map[int64]bool, err error) {
	err = v.ask(ctx, fmt.Sprint("stored from ", from), owner, func() (err error) {
		stored, err = v.Store.Stored(ctx, owner, from)
		return err
	})
	return stored, err
}

// Remove is one effect, which begins when the fence has let it pass.
func (v storeView) Remove(ctx context.Context, owner pipeline.Owner, offsets []int64,
	hold func(context.Context) error) error {
	if err := hold(ctx); err != nil {
		return err
	}
	return v.ask(ctx, fmt.Sprint("remove ", offsets), owner, func() error {
		return v.Store.Remove(ctx, owner, offsets, func(context.Context) error { return nil })
	})
}

func (v storeView) Sweep(ctx context.Context, owner pipeline.Owner, from, to int64) (n int, err error) {
	err = v.ask(ctx, fmt.Sprintf("sweep %d to %d", from, to), owner, func() (err error) {
		n, err = v.Store.Sweep(ctx, owner, from, to)
		v.p.s.checkSwept(owner.Partition, n)
		return err
	})
	return n, err
}

func (v storeView) ask(ctx context.Context, what string, owner pipeline.Owner, do func() error) error {
	what = fmt.Sprintf("%s of %d, epoch %d", what, owner.Partition, owner.Epoch)
	return v.p.effect(ctx, "-", what, func(torn fault) error {
		if v.p.s.away() {
			return errAway
		}
		if torn == dieTorn || torn == failTorn {
			return errFault
		}
		return do()
	})
}
