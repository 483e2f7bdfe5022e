package sinks

import "sync"

// spareRows keeps the memory of blocks that were sealed or stored for the next: one of
// 20,000 invoices with 3 lines, or as many as are busy with small ones. A sync.Pool would
// lose it to the garbage collector, and every block would grow from nothing again.
var spareRows = spares{most: 32 << 20}

// spares are columns that nobody uses.
type spares struct {
	most int // bytes they may hold together

	mu   sync.Mutex // guards what follows
	rows []*blockRows
	held int // bytes
}

// take returns empty columns, those that were kept last if there are any.
func (s *spares) take() *blockRows {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.rows) - 1
	if last < 0 {
		return newBlockRows()
	}
	rows := s.rows[last]
	s.rows[last], s.rows = nil, s.rows[:last]
	s.held -= rows.filled
	return rows
}

// keep empties columns that were filled with so many bytes, and keeps them if there is room.
func (s *spares) keep(rows *blockRows, size int) {
	for _, c := range rows.named() {
		c.reset()
	}
	rows.filled = max(rows.filled, size)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held+rows.filled <= s.most {
		s.rows, s.held = append(s.rows, rows), s.held+rows.filled
	}
}
