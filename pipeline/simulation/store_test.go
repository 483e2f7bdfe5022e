package simulation_test

import (
	"context"
	"fmt"

	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// storeView is a process's view of the store.
type storeView struct {
	p *process
	*memstore.Store
}

func (v storeView) Insert(ctx context.Context, owner pipeline.Owner, n int64, block pipeline.Block) error {
	what := fmt.Sprintf("insert %d rows of %d, epoch %d", block.Rows(), owner.Partition, owner.Epoch)
	return v.p.effect(ctx, group, what, func(torn fault) error {
		if v.p.s.away() {
			return errAway
		}
		key := at{int64(owner.Partition), owner.Epoch}
		v.p.s.setInserting(key, v.p, torn)
		v.p.s.checkInsert(v.p, owner, block)
		err := v.Store.Insert(ctx, owner, n, block)
		if err == nil {
			v.p.s.noteStored(owner, block)
		}
		return err
	})
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

func (v storeView) Remove(ctx context.Context, owner pipeline.Owner, offsets []int64) error {
	return v.ask(ctx, fmt.Sprint("remove ", offsets), owner, func() error { return v.Store.Remove(ctx, owner, offsets) })
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
