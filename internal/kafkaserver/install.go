package kafkaserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the files beside
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"recoup/internal/cache"
)

//go:embed pom.xml
var pom []byte

//go:embed log4j2.properties
var loggingConfig []byte

// install returns the directory of Kafka's jars, which Maven fills once for
// each content of pom.xml.
func install(ctx context.Context) (string, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", fmt.Errorf("cannot start Kafka: install Java 17 or later: %w", err)
	}
	name := fmt.Sprintf("kafka-%x", sha256.Sum256(pom))[:14]
	dir, err := cache.Entry(ctx, name, func(ctx context.Context, dir string) error {
		mvn, err := exec.LookPath("mvn")
		if err != nil {
			return fmt.Errorf("cannot find Maven, which downloads it: install maven: %w", err)
		}
		file := filepath.Join(dir, "pom.xml")
		if err := os.WriteFile(file, pom, 0o644); err != nil {
			return fmt.Errorf("cannot write for Maven: %w", err)
		}
		cmd := exec.CommandContext(ctx, mvn, "-B", "-q", "-f", file,
			"dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(dir, "jars"))
		cmd.Dir = dir
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot run mvn: %w:\n%s", err, strings.TrimSpace(string(bytes.ToValidUTF8(output, nil))))
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("cannot install Kafka: %w", err)
	}
	return filepath.Join(dir, "jars"), nil
}
