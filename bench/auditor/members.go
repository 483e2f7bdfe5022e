package auditor

import "context"

// judgeMembers compares what members took with their limits. What was measured of nobody is
// wrong, too; of a member that ended, or joined only just before, growth is not known.
func (a *audit) judgeMembers(context.Context) error {
	var seen, measured bool
	var why []string
	for _, m := range a.Members {
		seen = seen || m.Resident > 0
		a.bounded(CheckMemory, m.Member, m.Resident, a.MostResident)
		a.bounded(CheckGoroutines, m.Member, int64(m.Goroutines), int64(a.MostGoroutines))
		if m.GrowthMeasured {
			measured = true
			a.bounded(CheckMemoryGrown, m.Member, m.HeapGrown, a.MostHeapGrown)
			a.bounded(CheckGrown, m.Member, int64(m.GoroutinesGrown), int64(a.MostGrown))
		} else if m.GrowthError != "" {
			why = append(why, m.GrowthError)
		}
	}
	if len(a.Members) > 0 && !seen {
		a.checks.wrong(CheckMemory, "no member was ever seen")
	}
	if len(a.Members) > 0 && !measured {
		for _, name := range []string{CheckMemoryGrown, CheckGrown} {
			a.checks.wrong(name, "of no member it was measured: %q", why)
		}
	}
	return nil
}

// bounded is what a member took, and the most it may take. The check shows the most that
// any took, below nothing where all shrank.
func (a *audit) bounded(name, member string, got, most int64) {
	check := a.checks.get(name)
	if check.Expected == 0 || got > check.Found {
		check.Found = got
	}
	check.Expected = most
	if got > most {
		a.checks.wrong(name, "%s: %d", member, got)
	}
}
