package corpora

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// ValidationCase is a row of the API server's own tests of Secrets: one that is made, or one that is changed.
type ValidationCase struct {
	Name             string
	Valid            bool
	Secret, Old, New map[string]any
}

// ValidationCases reads the rows.
func ValidationCases(t testing.TB) (create, update []ValidationCase) {
	t.Helper()
	var all struct{ Create, Update []ValidationCase }
	JSON(t, &all, "corpora", "validation", "secret-validation-cases.json")
	if len(all.Create) != 43 || len(all.Update) != 8 {
		t.Fatalf("%d and %d cases, want 43 and 8", len(all.Create), len(all.Update))
	}
	return all.Create, all.Update
}

// ObjectText writes an object of a row as a manifest: "REPEAT:zero:N" is N zero bytes.
func ObjectText(t testing.TB, object map[string]any) string {
	t.Helper()
	data, _ := object["data"].(map[string]any)
	for key, v := range data {
		s, _ := v.(string)
		if count, ok := strings.CutPrefix(s, "REPEAT:zero:"); ok {
			n, err := strconv.Atoi(count)
			if err != nil {
				t.Fatal(err)
			}
			data[key] = base64.StdEncoding.EncodeToString(make([]byte, n))
		}
	}
	text, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
