package kafkaserver

import (
	"context"
	_ "embed" // the producer's source
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed Transactions.java
var producerSource []byte

// Ending says how a transaction ends.
type Ending string

// The endings of a transaction.
const (
	Commit    Ending = "commit" // its records count
	Abort     Ending = "abort"  // its records stand in the log and must be passed over
	LeaveOpen Ending = "leave"  // the producer dies; the broker aborts after 15 seconds; only as the last one
)

// Transaction is one transaction of Kafka's own producer.
type Transaction struct {
	Values [][]byte // of the records, in order; they have no key
	End    Ending   // what becomes of them
}

// ProduceTransactions writes the transactions one after another to one
// partition with Kafka's Java producer (kafka-go has none) and returns when all
// have ended. It takes about two seconds.
func ProduceTransactions(ctx context.Context, addr, topic string, partition int, transactions ...Transaction) error {
	jars, err := install(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "recoup-producer-")
	if err != nil {
		return fmt.Errorf("cannot make a directory for the producer: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	source := filepath.Join(dir, "Transactions.java")
	if err := os.WriteFile(source, producerSource, 0o644); err != nil {
		return fmt.Errorf("cannot write the producer's source: %w", err)
	}
	var input strings.Builder
	for _, transaction := range transactions {
		input.WriteString("begin\n")
		for _, value := range transaction.Values {
			input.WriteString(base64.StdEncoding.EncodeToString(value) + "\n")
		}
		input.WriteString(string(transaction.End) + "\n")
	}
	// Given a source file, java compiles and runs it.
	cmd := exec.CommandContext(ctx, "java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", filepath.Join(jars, "*"), source,
		addr, topic, strconv.Itoa(partition), filepath.Base(dir))
	cmd.Stdin = strings.NewReader(input.String())
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot produce transactions to %s/%d: %w:\n%s", topic, partition, err, output)
	}
	return nil
}
