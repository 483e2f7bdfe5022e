package history

// packed is a table whose items stand in their stored form, in a third of the memory: it is
// for kinds of which there are millions, and of which an invoice has one. An item is read
// out to be looked at, and written back when it was taught.
type packed[T any] struct {
	*table[parcel]
	arena  arena
	code   func(*coder, *T)
	hourOf func(*T) int32
	item   T // the one last read or taught
	reader coder
	writer coder
}

// parcel is where the stored form of an item stands.
type parcel struct {
	hour int32  // event time of the item
	at   uint32 // in the arena
	size uint16 // bytes, 0: none yet
}

func newPacked[T any](m *marks, mostItems int, hour func(*T) int32, code func(*coder, *T)) *packed[T] {
	p := &packed[T]{code: code, hourOf: hour}
	p.table = newTable(m, mostItems, func(x *parcel) int32 { return x.hour }, p.codeParcel)
	p.release = func(x *parcel) { p.arena.release(int(x.size)) }
	return p
}

// load reads the item of a key into into and returns that, nil when there is none.
func (p *packed[T]) load(key uint64, into *T) *T {
	x := p.table.get(key)
	if x == nil {
		return nil
	}
	p.unpack(x, into)
	return into
}

func (p *packed[T]) unpack(x *parcel, into *T) {
	var blank T
	*into = blank
	if x.size > 0 {
		p.reader = coder{bytes: p.arena.bytes(x.at, int(x.size)), reading: true}
		p.code(&p.reader, into)
	}
}

// change has f change the item of a key, a new one when there is none.
func (p *packed[T]) change(key uint64, f func(*T)) {
	x := p.touch(key, nil)
	p.unpack(x, &p.item)
	f(&p.item)
	p.pack(x)
}

// pack writes the item last read or taught.
func (p *packed[T]) pack(x *parcel) {
	c := &p.writer
	*c = coder{bytes: c.bytes[:0]}
	p.code(c, &p.item)
	if unitsOf(len(c.bytes)) != unitsOf(int(x.size)) {
		p.arena.release(int(x.size))
		x.size = 0
		if p.arena.sparse() {
			p.compact()
		}
		x.at = p.arena.take(len(c.bytes))
	}
	x.hour, x.size = p.hourOf(&p.item), uint16(len(c.bytes))
	copy(p.arena.bytes(x.at, len(c.bytes)), c.bytes)
}

// codeParcel codes an item as its table does.
func (p *packed[T]) codeParcel(c *coder, x *parcel) {
	if !c.reading {
		c.bytes = append(c.bytes, p.arena.bytes(x.at, int(x.size))...)
		return
	}
	var blank T
	p.item = blank
	if p.code(c, &p.item); !c.failed {
		p.pack(x)
	}
}

// compact copies the items together where much of the arena is no longer in use.
func (p *packed[T]) compact() {
	old := p.arena
	p.arena = arena{}
	for at := range p.used {
		if x := &p.slot(at).item; x.size > 0 {
			stored := old.bytes(x.at, int(x.size))
			x.at = p.arena.take(len(stored))
			copy(p.arena.bytes(x.at, len(stored)), stored)
		}
	}
}

// arena holds strings of bytes without a pointer to each.
type arena struct {
	pages []*[arenaPage]byte
	used  uint32 // units ever taken, the rests of pages included
	waste uint32 // of them, given back
}

const (
	arenaUnit = 4       // bytes; a place has a whole number of them
	arenaPage = 1 << 14 // bytes; no item is longer
	perPage   = arenaPage / arenaUnit
)

func unitsOf(size int) int { return (size + arenaUnit - 1) / arenaUnit }

// take returns a place for a number of bytes.
func (a *arena) take(size int) (at uint32) {
	units := uint32(unitsOf(size))
	if rest := perPage - a.used%perPage; rest < units {
		a.used += rest
	}
	at = a.used
	a.used += units
	if int(at/perPage) == len(a.pages) {
		a.pages = append(a.pages, new([arenaPage]byte))
	}
	return at
}

// bytes returns what stands at a place, until it is given back.
func (a *arena) bytes(at uint32, size int) []byte {
	if size == 0 {
		return nil
	}
	from := int(at%perPage) * arenaUnit
	return a.pages[at/perPage][from : from+size]
}

// release gives a place back.
func (a *arena) release(size int) { a.waste += uint32(unitsOf(size)) }

// sparse tells whether much of the arena is not in use.
func (a *arena) sparse() bool { return a.waste > perPage && a.waste > a.used/6 }
