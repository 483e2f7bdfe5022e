package boost

import (
	"sync"
	"sync/atomic"
)

// blockRows is how many rows a worker takes at a time. Fewer are not worth
// waking another one.
const blockRows = 2048

// blocks is how many blocks some rows make.
func blocks(rows int) int { return (rows + blockRows - 1) / blockRows }

// blockOf is where a block begins and ends.
func blockOf(block, rows int) (from, to int) {
	return block * blockRows, min((block+1)*blockRows, rows)
}

// inParallel runs all tasks and returns when they are done.
func inParallel(workers, tasks int, run func(task int)) {
	inParallelBy(workers, tasks, func(_, task int) { run(task) })
}

// inParallelBy is inParallel for tasks that use what belongs to their worker.
// The caller is worker 0. It waits for tasks, not for workers: one that the
// scheduler has not let run yet is too late to hold up anybody.
func inParallelBy(workers, tasks int, run func(worker, task int)) {
	workers = min(workers, tasks)
	if workers <= 1 {
		for task := range tasks {
			run(0, task)
		}
		return
	}
	var next atomic.Int64
	var undone sync.WaitGroup
	undone.Add(tasks)
	work := func(worker int) {
		for task := int(next.Add(1)) - 1; task < tasks; task = int(next.Add(1)) - 1 {
			run(worker, task)
			undone.Done()
		}
	}
	for worker := 1; worker < workers; worker++ {
		go work(worker)
	}
	work(0)
	undone.Wait()
}
