package verify

import (
	"bytes"
	"encoding/base64"
)

// privateKeys finds age identities and PEM private keys in any file. Documentation that mentions a prefix, or shows a
// made-up key such as AGE-SECRET-KEY-1XXXX…, is no finding: what counts has the length and the variety of a key.
func (c *checker) privateKeys(data []byte) {
	line := lineCounter{data: data}
	report := func(at int, what string) {
		c.add(Finding{Rule: PrivateKey, Line: line.at(at), What: what, Hint: "take it out of the file; if it was ever pushed, it is no longer a secret: replace it"})
	}
	for at := range indexes(data, "AGE-SECRET-KEY-") {
		rest := bytes.TrimPrefix(data[at+len("AGE-SECRET-KEY-"):], []byte("PQ-"))
		if len(rest) > 0 && rest[0] == '1' && isBech32(rest[1:], identityLength, 8) {
			report(at, "an age identity")
		}
	}
	for at := range indexes(data, "AGE-PLUGIN-") {
		if isPluginIdentity(data[at+len("AGE-PLUGIN-"):]) {
			report(at, "an identity of an age plugin")
		}
	}
	for at := range indexes(data, "-----BEGIN ") {
		if what := pemKey(data[at:]); what != "" {
			report(at, what)
		}
	}
	// A kubeconfig, for instance, holds a key like that. A Secret does too, and is found as such.
	for at := range indexes(data, encodedPEM) {
		if encoded := base64Run(data[at:]); !c.valued[line.at(at)] {
			if decoded, err := base64.StdEncoding.DecodeString(string(encoded)); err == nil && pemKey(decoded) != "" {
				report(at, pemKey(decoded)+", in base64")
			}
		}
	}
}

// encodedPEM is how "-----BEGIN " begins in base64.
const encodedPEM = "LS0tLS1CRUdJTi"

// identityLength is that of the data part of an age identity: 32 bytes and the checksum in Bech32 (BIP 173), for X25519
// and for the hybrid kind alike.
const identityLength = 58

// isBech32 reports whether data begins with at least n characters of Bech32 in upper case, of which enough differ.
func isBech32(data []byte, n, variety int) bool {
	run := 0
	for run < len(data) && bytes.IndexByte([]byte("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"), data[run]) >= 0 {
		run++
	}
	return run >= n && distinct(data[:run]) >= variety
}

// isPluginIdentity takes what follows AGE-PLUGIN-: a name, "-1", data and checksum. Names may hold digits and "-1" too.
func isPluginIdentity(data []byte) bool {
	const longestName, shortest, variety = 64, 12, 6
	for i := 1; i < len(data)-1 && i <= longestName; i++ {
		if data[i] == '-' && data[i+1] == '1' && isBech32(data[i+2:], shortest, variety) {
			return true
		}
		if c := data[i]; !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || bytes.IndexByte([]byte("+-._"), c) >= 0) {
			return false
		}
	}
	return false
}

// pemKey says what private key data begins with, in PEM (RFC 7468) or OpenPGP armor; "" if none.
func pemKey(data []byte) string {
	const longestLabel = 40
	rest, ok := bytes.CutPrefix(data, []byte("-----BEGIN "))
	if !ok {
		return ""
	}
	label, _, ok := bytes.Cut(rest[:min(len(rest), longestLabel)], []byte("-----"))
	if !ok {
		return ""
	}
	body := rest[len(label)+len("-----"):]
	kind, ok := bytes.CutSuffix(label, []byte("PRIVATE KEY"))
	if !ok {
		kind, ok = bytes.CutSuffix(label, []byte("PRIVATE KEY BLOCK"))
	}
	if !ok || !hasKeyBody(body) {
		return ""
	}
	switch string(kind) {
	case "":
		return "a private key (PKCS #8)"
	case "RSA ", "EC ", "DSA ", "OPENSSH ", "PGP ":
		return "a private key (" + string(kind[:len(kind)-1]) + ")"
	case "ENCRYPTED ":
		return "a private key (PKCS #8, encrypted with a passphrase)"
	}
	return "a private key"
}

// hasKeyBody reports whether there is as much base64 as the smallest key has (Ed25519 in PKCS #8: 64 characters). The
// lines may be indented, commented out, quoted, or joined by the escapes of JSON and source code; headers are passed
// over.
func hasKeyBody(data []byte) bool {
	const shortest, variety, far = 60, 12, 2000
	data = data[:min(len(data), far)]
	var got []byte
	for i := 0; i < len(data) && len(got) < shortest; i++ {
		switch c := data[i]; {
		case isBase64(c):
			got = append(got, c)
		case c == '\\' && i+1 < len(data) && bytes.IndexByte([]byte("nrt\\\r\n"), data[i+1]) >= 0:
			if data[i+1] != '\\' {
				i++
			}
		case bytes.IndexByte([]byte(" \t\r\n\"'`,#>|*;="), c) >= 0:
		case c == ':': // Proc-Type: 4,ENCRYPTED
			end := bytes.IndexAny(data[i:], "\n\\")
			if end < 0 {
				return false
			}
			i += end - 1
			got = got[:0]
		case c == '-' && i > 0 && isBase64(data[i-1]) && i+1 < len(data) && isBase64(data[i+1]): // Proc-Type, DEK-Info
		default:
			return false
		}
	}
	return len(got) >= shortest && distinct(got) >= variety
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// base64Run is the base64 that data begins with, cut to whole groups, as much as a key needs.
func base64Run(data []byte) []byte {
	const far = 2000
	n := 0
	for n < len(data) && n < far && isBase64(data[n]) {
		n++
	}
	return data[:n-n%4]
}

func distinct(data []byte) (n int) {
	var seen [256]bool
	for _, c := range data {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

// indexes yields where s stands in data.
func indexes(data []byte, s string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for p := 0; ; {
			i := bytes.Index(data[p:], []byte(s))
			if i < 0 || !yield(p+i) {
				return
			}
			p += i + len(s)
		}
	}
}

// lineCounter turns offsets into 1-based lines, without counting from the beginning each time.
type lineCounter struct {
	data       []byte
	pos, lines int
}

func (l *lineCounter) at(offset int) int {
	if offset < l.pos {
		l.pos, l.lines = 0, 0
	}
	l.lines += bytes.Count(l.data[l.pos:offset], []byte("\n"))
	l.pos = offset
	return l.lines + 1
}
