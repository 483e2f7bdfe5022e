package auditor

import "context"

// judgeMembers compares what members took with their limits.
func (a *audit) judgeMembers(context.Context) error {
	seen := len(a.Members) == 0
	for _, m := range a.Members {
		seen = seen || m.Resident > 0
		for _, c := range []struct {
			name      string
			got, most int64
		}{
			{CheckMemory, m.Resident, a.MostResident}, {CheckMemoryGrown, m.HeapGrown, a.MostHeapGrown},
			{CheckGoroutines, int64(m.Goroutines), int64(a.MostGoroutines)},
			{CheckGrown, int64(m.GoroutinesGrown), int64(a.MostGrown)},
		} {
			check := a.checks.get(c.name)
			check.Expected, check.Found = c.most, max(check.Found, c.got)
			if c.got > c.most {
				a.checks.wrong(c.name, "%s: %d", m.Member, c.got)
			}
		}
	}
	if !seen {
		a.checks.wrong(CheckMemory, "no member was ever seen")
	}
	return nil
}
