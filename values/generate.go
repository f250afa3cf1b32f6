package values

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Of a generated value: its length in characters, and the bits of entropy below which it is warned about.
const (
	defaultLength = 32
	maxLength     = 65536
	minEntropy    = 64
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// alphabets are the ones with a name. ascii is what is printable but for blanks, quotes and the backslash: fit for a shell's or a
// configuration's quotes.
var alphabets = map[string]string{
	"alnum": upper + lower + digits, "alpha": upper + lower, "digits": digits, "hex": digits + "abcdef",
	"base64url": upper + lower + digits + "-_", "ascii": upper + lower + digits + "!#$%&()*+,-./:;<=>?@[]^_{|}~",
}

// AddGenerated adds a random value, KEY[=LENGTH[:ALPHABET]]: characters of a named alphabet (alnum, the default, alpha,
// digits, hex, base64url, ascii) or of the ones given, each as likely as any other. Fewer than 2 distinct characters and
// lengths outside 1 to 65536 are refused; less than 64 bits of entropy is a warning.
func (v *Values) AddGenerated(spec string) error {
	key, rest, given := strings.Cut(spec, "=")
	if err := v.Check(key); err != nil {
		return err
	}
	length, name := defaultLength, "alnum"
	if given {
		number, alphabet, named := strings.Cut(rest, ":")
		var err error
		if length, err = strconv.Atoi(number); err != nil || length < 1 || length > maxLength {
			return &Error{Key: key, Err: fmt.Errorf("a length is a number from 1 to %d", maxLength),
				Hint: "KEY=LENGTH, or KEY=LENGTH:ALPHABET"}
		}
		if named {
			name = alphabet
		}
	}
	alphabet, err := characters(name)
	if err != nil {
		return &Error{Key: key, Err: err, Hint: "alnum, alpha, digits, hex, base64url, ascii, or the characters themselves"}
	}
	value, err := random(length, alphabet)
	if err != nil {
		return &Error{Key: key, Err: err}
	}
	if bits := float64(length) * math.Log2(float64(len(alphabet))); bits < minEntropy {
		v.warn("", 0, key, "make it longer", "%d characters of %d are %d bits: that can be guessed", length, len(alphabet), int(bits))
	}
	return v.Add(key, value)
}

// characters are the distinct ones of an alphabet, in their order: one that stands twice would be twice as likely.
func characters(alphabet string) ([]rune, error) {
	if named, ok := alphabets[alphabet]; ok {
		alphabet = named
	}
	if !utf8.ValidString(alphabet) {
		return nil, errors.New("an alphabet that is no UTF-8")
	}
	var distinct []rune
	seen := map[rune]bool{}
	for _, r := range alphabet {
		if !unicode.IsPrint(r) {
			return nil, errors.New("an alphabet with a character that can't be printed")
		}
		if !seen[r] {
			seen[r] = true
			distinct = append(distinct, r)
		}
	}
	if len(distinct) < 2 {
		return nil, errors.New("an alphabet of fewer than 2 characters")
	}
	return distinct, nil
}

// random draws characters; rand.Int has no bias.
func random(length int, alphabet []rune) ([]byte, error) {
	n := big.NewInt(int64(len(alphabet)))
	value := make([]byte, 0, length)
	for range length {
		i, err := rand.Int(rand.Reader, n)
		if err != nil {
			return nil, err
		}
		value = utf8.AppendRune(value, alphabet[i.Int64()])
	}
	return value, nil
}
