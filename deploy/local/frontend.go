package main

import (
	"fmt"
	"os/exec"
)

// pluginDir holds the data source plugin of Grafana.
const pluginDir = "dashboards/plugin"

// frontEnd installs what the plugin's front end is made of, builds and packs the plugin, and runs its tests: logic,
// editors in a headless browser, package, and every board against Grafana's schema.
func (c *checker) frontEnd() error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("cannot build the plugin's front end (fix: install Node.js 20 or later with npm): %w", err)
	}
	steps := [][]string{
		{"ci", "--prefer-offline", "--loglevel=error"},
		{"run", "--silent", "typecheck"},
		{"run", "--silent", "lint"},
		{"run", "--silent", "build"},
		{"run", "--silent", "test"},
	}
	for _, args := range steps {
		if err := c.command(pluginDir, "npm", args...); err != nil {
			return err
		}
	}
	return nil
}
