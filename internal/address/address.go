// Package address checks the host:port addresses of servers. All of its messages
// hide a login that somebody wrote into one.
package address

import (
	"fmt"
	"net"
	"strings"
)

// Check returns an error unless address is host:port; example stands in it as
// what was expected. A login in front of the host is refused: it would appear
// wherever the address does.
func Check(address, example string) error {
	if strings.Contains(address, "@") {
		return fmt.Errorf("cannot use %q: expected host:port, such as %s, without a login in front: user and password "+
			"have settings of their own", Mask(address), example)
	}
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		return fmt.Errorf("cannot use %q: expected host:port, such as %s", address, example)
	}
	return nil
}

// Mask hides what stands before the last @ of a text: an address may hold a login.
func Mask(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "***" + text[i:]
	}
	return text
}

// IsLoopback reports whether a host, or the host of host:port, is this machine.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
