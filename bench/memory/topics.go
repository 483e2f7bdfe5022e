package main

import (
	"os"
	"time"

	"recoup/detectors"
)

// topics are the state topics, not compacted.
type topics struct {
	file    *os.File
	records int64
	bytes   int64
}

// record is one of them.
type record struct {
	Key, Value []byte
	Partition  int
	Shared     bool
	Applied    int64
}

// publish writes a checkpoint to a file, and has everybody hear of its baselines.
func (k *topics) publish(shared *detectors.Shared, out []detectors.StateRecord, partition int, applied int64) error {
	if k.file == nil {
		file, err := os.CreateTemp("", "recoup-memory-")
		if err != nil {
			return err
		}
		k.file = file
		if err := os.Remove(file.Name()); err != nil {
			return err
		}
	}
	w := newWriter(k.file)
	for _, r := range out {
		w.write(&record{r.Key, r.Value, partition, r.Shared, applied})
		k.bytes += int64(len(r.Key) + len(r.Value))
		if r.Shared {
			if err := shared.Put(r.Key, r.Value, partition, applied); err != nil {
				return err
			}
		}
	}
	k.records += int64(len(out))
	return w.Flush()
}

// takeOver reads everything back for partition 0, and then counts what the others would find.
func (k *topics) takeOver(r *result, p plan) error {
	shared := detectors.NewShared()
	e := p.engine(shared, 0)
	began := time.Now()
	err := read(k.file, func(r *record) error {
		switch {
		case r.Shared:
			return shared.Put(r.Key, r.Value, r.Partition, r.Applied)
		case r.Partition == 0:
			return e.Restore(r.Key, r.Value, r.Applied)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.Baselines = e.AdoptShared()
	if err := e.Adopt(int64(p.total()), true); err != nil {
		return err
	}
	r.TakeOver = time.Since(began)
	for partition := 1; partition < p.Partitions; partition++ {
		r.Baselines += p.engine(shared, partition).AdoptShared()
	}
	return nil
}
