package child

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func shell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(exec.Command("sh", "-c", script), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.KillGroup)
	return p
}

func TestEndedSaysHowAndWhat(t *testing.T) {
	p := shell(t, "echo some words; exit 3")
	<-p.Done()
	err := p.Ended()
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "some words") {
		t.Errorf("Ended = %v", err)
	}
	long := shell(t, "for i in 1 2 3 4 5 6 7 8 9; do printf '%01000d' $i; done")
	<-long.Done()
	if got := long.Output(); len(got) != tailBytes || !strings.HasSuffix(got, "9") {
		t.Errorf("kept %d bytes that end in %q, want the last %d", len(got), got[len(got)-1:], tailBytes)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	deaf := shell(t, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
	for deaf.Output() != "ready" {
		time.Sleep(10 * time.Millisecond)
	}
	if deaf.Ended() != nil {
		t.Fatal("ended by itself")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := deaf.Stop(ctx); err == nil {
		t.Error("a process that had to be killed is told as stopped")
	}
	if deaf.Ended() == nil {
		t.Error("it still runs")
	}
	if err := deaf.Stop(t.Context()); err != nil {
		t.Errorf("stopping what has ended: %v", err)
	}
	willing := shell(t, "exec sleep 60")
	if err := willing.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// The pipe of a child's child stays open until that has ended too.
func TestKillGroupReachesGrandchildren(t *testing.T) {
	p := shell(t, "sleep 60 & wait")
	begin := time.Now()
	p.KillGroup()
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("took %v: the grandchild lived on", took)
	}
}

func TestFreePortIsFreeAndBelowOutgoingOnes(t *testing.T) {
	for range 20 {
		listener, err := Listen()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		if port := listener.Addr().(*net.TCPAddr).Port; port < firstPort || port >= lastPort {
			t.Errorf("port %d is outside of %d to %d", port, firstPort, lastPort)
		}
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	if _, err := Start(exec.Command("/no/such/program"), nil); err == nil || !strings.Contains(err.Error(), "no/such") {
		t.Errorf("error = %v", err)
	}
}
