package main

import (
	"fmt"
	"os"
)

// figure is something counted once.
type figure struct {
	name, value, target string
	met                 bool
}

func mib(bytes float64) float64 { return bytes / (1 << 20) }

func fileSize(name string) (float64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

// figures are what the project wants of its own sizes: of the binary, of a sealed Secret, of a change.
func (b *bench) figures(changes []change) ([]figure, error) {
	size, err := fileSize(b.ageseal)
	if err != nil {
		return nil, err
	}
	out := []figure{{"binary, stripped, without cgo", fmt.Sprintf("%.1f MiB", mib(size)), "≤ 14 MiB", mib(size) <= 14}}
	limits := map[string]float64{"X25519": 1.8, "hybrid": 2.6}
	var lines []figure
	for _, c := range changes {
		most, ok := limits[c.keys]
		if c.name != "ageseal" || !ok {
			continue
		}
		out = append(out, figure{fmt.Sprintf("one sealed Secret, one %s recipient / its plain bytes", c.keys), fmt.Sprintf("%.2f", c.size), fmt.Sprintf("≤ %.1f", most), c.size <= most})
		lines = append(lines, figure{
			fmt.Sprintf("lines changed by one value changed, %s: box and reference replaced, one wrap new", c.keys),
			fmt.Sprintf("%d gone, %d new", c.gone, c.added), "2 and 6", c.gone == 2 && c.added == 6,
		})
	}
	return append(out, lines...), nil
}
