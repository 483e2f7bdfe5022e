package simulation_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var mutation = flag.String("mutation", "", "run only mutations that this pattern matches, and print what found them")

// broken is a deliberate break of the protocol.
type broken struct {
	name     string
	file     string // of package pipeline, unless it names another
	old, new string // what is replaced, once
	finds    string // what a seed has to say of it, as a pattern
}

var mutations = []broken{
	{"an offset is committed before its rows are stored", "writer.go",
		"		if err := r.storeBlock(ctx, c, head); err != nil {\n			return err\n		}\n",
		"		defer r.storeBlock(ctx, c, head)\n", "without the row of"},
	{"an insert has no deduplication token", "../sinks/memstore/memstore.go",
		"if s.tokens[token] && !s.faults.NoTokens {", "if false {", "twice"},
	{"a take-over reads no skip-set", "takeover.go",
		"w.rows.atTakeOver = stored", "w.rows.atTakeOver = nil", "twice|again"},
	{"nobody asks the group before an effect", "claim.go",
		"		if err := hold(ctx); err != nil {\n			return err\n		}\n", "", "after the group had given it up"},
	{"an insert asks the group once per block", "writer.go",
		"		return m.store.Insert(ctx, r.owner(), r.n, block, m.asking.steps(m.opt.Now, c.hold))\n",
		"		if err := c.hold(ctx); err != nil {\n			return err\n		}\n" +
			"		return m.store.Insert(ctx, r.owner(), r.n, block, func(context.Context) error { return nil })\n",
		"after the group had given it up"},
	{"the group's answer is taken for proof of when it came", "claim.go",
		"c.accepted = asked", "c.accepted = c.now()\n	_ = asked", "after the group had given it up"},
	{"state records have no epoch", "statecodec.go",
		"binary.AppendVarint(out, s.epoch)", "binary.AppendVarint(out, 0)", "state .* (differs|is missing)"},
	{"state of a lower epoch counts when it stands behind", "statecodec.go",
		"		return s.epoch > old.epoch\n", "		return true\n", "state .* differs|is missing"},
	{"nobody writes over what an older owner wrote late", "worker.go",
		"	w.inbox.dirty = append(w.inbox.dirty, key)\n", "", "state .* (differs|is missing)"},
	{"nothing is written over until invoices come", "checkpoint.go",
		"w.scoredSince == 0 && !w.overwritten ||", "w.scoredSince == 0 ||", "state .* (differs|is missing)"},
	{"a tombstone of a lower epoch counts", "follower.go",
		"	if at.late(*newest) {\n", "	if payload == nil {\n		at = *newest\n	}\n	if at.late(*newest) {\n",
		"state .* (differs|is missing)"},
	{"a baseline of a lower epoch counts behind a tombstone", "follower.go",
		"		return key, at, true, nil\n", "		return key, at, true, shared.Put(key, payload, source, at.applied)\n",
		"state .* (differs|is missing|should not be there)"},
	{"history, and what was met, counts though it is ahead of the marker", "../detectors/history/state.go",
		"slots[slot].value != nil && slots[slot].applied <= offset }", "slots[slot].value != nil && offset >= 0 }",
		"state .* (differs|is missing|should not be there)"},
	{"an owner writes no ownership record", "guard_upkeep.go",
		"epoch, err = m.log.Append(ctx, m.opt.Topics.Suspects, source.Partition, []Record{record})",
		"_, epoch, err = m.log.Bounds(ctx, m.opt.Topics.Suspects, source.Partition)\n		_ = record",
		"before the owner .* that wrote the state"},
	{"nobody reads what stands between the records of his own", "appender.go",
		"	if base > seen {\n", "	if false {\n", "two contents|decision .* is missing|row .* differs|stores .* again"},
	{"what a former owner decided late counts", "takeover.go",
		"void := d.Epoch < read.highest", "void := false", "two contents|decision"},
	{"a case is published before its decision is logged", "batch.go",
		"{w.writeDecisions, w.writeCases, w.writeDeadLetters}", "{w.writeCases, w.writeDecisions, w.writeDeadLetters}",
		"published a case before its decision"},
	{"the decision log is not read at a take-over", "takeover.go",
		"	logs.Go(func() error { return w.readDecisions(lctx, w.epoch) })\n", "",
		"two contents|state .* differs"},
	{"a logged case is not published again", "batch.go", "			w.republish(kept)\n", "",
		"without the case of|case .* is missing"},
	{"a checkpoint is published before its offset is committed", "rowqueue.go",
		"q.ready == nil || committed < q.ready.marker.Offset", "q.ready == nil",
		"is missing|without the row of|row .* differs"},
	{"a marker is written before what it promises", "writer.go", "		if len(cp.local) > 0 {\n",
		"		if err := r.writeMarker(ctx, cp.marker); err != nil {\n			return err\n		}\n		if len(cp.local) > 0 {\n",
		"state .* differs"},
	{"nothing is replayed at a take-over", "takeover.go",
		"replayed, err = w.replay(ctx, start)", "", "state .* (differs|is missing)"},
	{"nobody looks whether the state has moved since it was prepared", "takeover.go",
		"if w.read.state != end || w.read.outdated {", "if false {",
		"state .* (differs|is missing|should not be there)"},
	{"nobody asks the group at the end of a take-over", "takeover.go",
		"return c.verify(ctx, start)", "return c.commit(ctx, start)", "which stood before it was assigned"},
	{"an owner writes over what a marker promises that comes late", "writer.go",
		"		if r.inherited != nil {\n", "		if false {\n", "state .* differs"},
	{"nobody sweeps", "writer.go",
		"r.fenced, r.sweepAt = true, r.w.m.opt.Now().Add(r.w.m.opt.SweepAfter)", "r.fenced = true", "stands twice"},
	{"nobody looks for what an older owner wrote late until invoices come", "checkpoint.go",
		"return m.persist(ctx, r.w.statePart(), r.state.look)", "return nil", "state .* (differs|is missing)"},
	{"the case stage lets a lower seq stand", "../cases/desk/derive.go",
		"case f.behind && f.top == f.seq:", "case false:", "case .* differs"},
}

// rare is where the search for a mutation begins that few seeds find: thousands before it find nothing, and
// would take minutes. Seeds that come to draw otherwise make the search longer, not its outcome another.
var rare = map[string]uint64{"a tombstone of a lower epoch counts": 4100}

// Each mutation is compiled in place of the real file and has to be found. One whose text
// is no longer in the code fails: then it has to be told anew.
func TestMutations(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	wanted := regexp.MustCompile(*mutation)
	for _, m := range mutations {
		if wanted.MatchString(m.name) {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				m.run(t, filepath.Join(root, m.file))
			})
		}
	}
}

func (m broken) run(t *testing.T, file string) {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(content), m.old); n != 1 {
		t.Fatalf("%s holds the text to replace %d times, want once:\n%s", file, n, m.old)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	write(t, changed, []byte(strings.Replace(string(content), m.old, m.new, 1)))
	list, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, list)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-timeout=10m", "-overlay="+overlay,
		"-run=^TestSimulation$", ".", "-budget=8m", fmt.Sprint("-from=", rare[m.name]))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("cannot run the simulation: %v", err)
	}
	if amiss := m.amiss(string(out)); amiss != "" {
		t.Errorf("%s:\n%s", amiss, out)
	} else if *mutation != "" {
		t.Logf("%s", out)
	}
}

var (
	// told is what runSeed says of a seed whose outcome differs.
	told = regexp.MustCompile(`(?s) seed \d+ leaves \d+ differences:\n.*?\n\s+replay it with: `)
	// stopped is how Go says that a test did not come to its end.
	stopped = regexp.MustCompile(`(?m)^(panic: |fatal error: |FAIL\s.*\[(build|setup) failed\]$)`)
)

// amiss says why the output of a simulation does not show that seeds find the mutation by
// what they leave; empty: it does. A stack, a refusal of the compiler and the name of a file say
// nothing of the protocol, whatever words are in them.
func (m broken) amiss(out string) string {
	seeds := told.FindAllString(out, -1)
	switch {
	case stopped.MatchString(out):
		return "the simulation did not come to its end"
	case len(seeds) == 0:
		return "no seed found it"
	case !regexp.MustCompile(m.finds).MatchString(strings.Join(seeds, "\n")):
		return fmt.Sprintf("it was found, but no seed says %q", m.finds)
	}
	return ""
}

// What only looks like a find is none: each text holds what the mutation is to be found by.
func TestMutationsAreFoundBySeeds(t *testing.T) {
	const seed = "        simulation_test.go:116: seed 7 leaves 1 differences:\n            %s\n" +
		"            replay it with: go test ./pipeline/simulation -run Simulation -v -seed 7\n"
	m := broken{finds: "two contents|decision"}
	for name, test := range map[string]struct{ out, want string }{
		"a find":  {fmt.Sprintf(seed, "decision [0 7] is missing") + "FAIL\n", ""},
		"no find": {"ok  	recoup/pipeline/simulation	12.1s\n", "no seed found it"},
		"another find": {fmt.Sprintf(seed, "row [0 7] differs") + "decision.go\n", "it was found, but no seed says " +
			`"two contents|decision"`},
		"the compiler": {"../decision.go:7:2: undefined: x\nFAIL	recoup/pipeline/simulation [build failed]\nFAIL\n",
			"the simulation did not come to its end"},
		"a panic": {fmt.Sprintf(seed, "decision [0 7] is missing") + "panic: x\n\n	pipeline/decision.go:7 +0x1\n",
			"the simulation did not come to its end"},
		"a deadlock": {"fatal error: all goroutines in bubble are blocked\n	pipeline/decision.go:7 +0x1\n",
			"the simulation did not come to its end"},
		"a refusal":      {fmt.Sprintf(seed, "after 4s: a member without faults does not go on: refused: decision 7"), ""},
		"none of a seed": {"    world_test.go:120: a member without faults: refused: decision 7\n", "no seed found it"},
	} {
		if got := m.amiss(test.out); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
