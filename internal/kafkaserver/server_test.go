package kafkaserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// parentVariable makes this test binary start a broker and wait to be killed.
const parentVariable = "RECOUP_KAFKASERVER_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVariable); dir != "" {
		s, err := Start(context.Background(), Options{Dir: dir})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(s.process.PID())
		select {}
	}
	os.Exit(m.Run())
}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func client(s *Server) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(s.Addr()), Timeout: 20 * time.Second, Transport: &kafka.Transport{}}
}

func createTopic(t *testing.T, s *Server, name string) {
	t.Helper()
	answer, err := client(s).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: name, NumPartitions: 1, ReplicationFactor: 1}},
	})
	if err == nil {
		err = answer.Errors[name]
	}
	if err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, s *Server, topic string, value string) {
	t.Helper()
	answer, err := client(s).Produce(t.Context(), &kafka.ProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte(value))}),
	})
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

// values reads the topic from its start to its last readable record, aborted
// transactions included: kafka-go does not hide them.
func values(t *testing.T, s *Server, topic string) (all []string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for offset := int64(0); ; {
		answer, err := client(s).Fetch(t.Context(), &kafka.FetchRequest{
			Topic: topic, Offset: offset, MaxBytes: 1 << 20, MaxWait: 100 * time.Millisecond,
		})
		if err == nil {
			err = answer.Error
		}
		if errors.Is(err, kafka.NotLeaderForPartition) && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for offset < answer.HighWatermark {
			record, err := answer.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			value, err := kafka.ReadAll(record.Value)
			if err != nil {
				t.Fatal(err)
			}
			offset = record.Offset + 1
			all = append(all, string(value))
		}
		if offset >= answer.HighWatermark {
			return all
		}
	}
}

func TestKeepsRecordsOverKillAndRestart(t *testing.T) {
	s := start(t, Options{})
	if _, err := os.Stat(filepath.Join(s.options.Dir, "server.properties")); err != nil {
		t.Fatal(err)
	}
	createTopic(t, s, "kept")
	produce(t, s, "kept", "one")
	addr := s.Addr()
	if err := s.Restart(t.Context()); err == nil {
		t.Error("a running broker was restarted")
	}
	s.Kill()
	if touch(addr) == nil {
		t.Error("a killed broker answers")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Addr() != addr {
		t.Errorf("address changed from %s to %s", addr, s.Addr())
	}
	if got := values(t, s, "kept"); !slices.Equal(got, []string{"one"}) {
		t.Errorf("records after kill and restart = %q", got)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.options.Dir); !os.IsNotExist(err) {
		t.Errorf("the temporary directory is still there: %v", err)
	}
}

// Auto-creation is off: a missing topic must show as an error.
func TestMakesNoTopics(t *testing.T) {
	s := start(t, Options{Config: map[string]string{"message.max.bytes": "2000000"}})
	answer, err := client(s).Produce(t.Context(), &kafka.ProduceRequest{
		Topic: "missing", RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("x"))}),
	})
	if err == nil && answer.Error == nil {
		t.Error("a record was taken for a topic that does not exist")
	}
}

func TestTransactions(t *testing.T) {
	s := start(t, Options{})
	createTopic(t, s, "paid")
	one := func(value string, end Ending) Transaction {
		return Transaction{Values: [][]byte{[]byte(value)}, End: end}
	}
	err := ProduceTransactions(t.Context(), s.Addr(), "paid", 0,
		one("first", Commit), one("aborted", Abort), one("last", Commit), one("open", LeaveOpen))
	if err != nil {
		t.Fatal(err)
	}
	// kafka-go's client skips the control markers at offsets 1, 3 and 5.
	if got, want := values(t, s, "paid"), []string{"first", "aborted", "last", "open"}; !slices.Equal(got, want) {
		t.Errorf("log holds %q, want %q", got, want)
	}
	answer, err := client(s).ListOffsets(t.Context(), &kafka.ListOffsetsRequest{
		Topics:         map[string][]kafka.OffsetRequest{"paid": {kafka.LastOffsetOf(0)}},
		IsolationLevel: kafka.ReadCommitted,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Topics["paid"][0].LastOffset; got != 6 {
		t.Errorf("last stable offset = %d, want 6: the seventh record's transaction is open", got)
	}
	err = ProduceTransactions(t.Context(), s.Addr(), "paid", 0, one("x", "nonsense!"))
	if err == nil || !strings.Contains(err.Error(), "Illegal base64") {
		t.Errorf("a producer that fails must say so: %v", err)
	}
}

// Nothing stays behind when the process that started the broker is killed.
func TestBrokerDiesWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir())
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil {
		t.Fatalf("cannot read %q: %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	for deadline := time.Now().Add(10 * time.Second); running(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("broker %d lives on 10 s after its parent was killed", pid)
		}
	}
}

// running tells whether the process exists and is more than an entry that
// nobody has collected yet.
func running(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(status), ") Z ")
}

func TestStartSaysWhy(t *testing.T) {
	_, err := Start(t.Context(), Options{Config: map[string]string{"num.io.threads": "none"}})
	if err == nil || !strings.Contains(err.Error(), "num.io.threads") {
		t.Errorf("error = %v", err)
	}
}
