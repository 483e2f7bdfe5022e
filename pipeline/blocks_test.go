package pipeline

import "testing"

// The blocks that all partitions fill come to 64 MiB, unless there are very many.
func TestBlocksShareRoom(t *testing.T) {
	m := &Member{opt: DefaultOptions()}
	for _, test := range []struct{ partitions, want int64 }{{0, 32 << 20}, {1, 32 << 20}, {2, 32 << 20}, {8, 8 << 20},
		{16, 4 << 20}, {32, 2 << 20}, {1000, 2 << 20}} {
		if m.assigned.Store(test.partitions); m.blockBytes() != test.want {
			t.Errorf("a block of %d partitions has %d bytes, want %d", test.partitions, m.blockBytes(), test.want)
		}
	}
}
