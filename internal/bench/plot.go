package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// series is one program of the builds: a colour, and a bar for each size.
type series struct {
	program, label string
	light, dark    string
}

// The colours differ in lightness, too: who does not see them apart has the order and the numbers.
var plotted = []series{
	{build, "ageseal build", "#0b5cad", "#5aa9f5"},
	{catBuild, "kustomize with cat: the least of a plugin", "#9a9a9a", "#8a8a8a"},
	{fnBuild, "kustomize with ageseal fn", "#6fb1e8", "#2f6ea8"},
	{ksopsBuild, "kustomize with KSOPS", "#e08a00", "#ffb84d"},
	{ksopsBuildEach, "kustomize with KSOPS for each file", "#a33b00", "#e06a2c"},
}

// Of the plot, in its own units.
const (
	plotWidth, plotHeight             = 800, 420
	plotLeft, plotRight               = 56, 784
	plotTop, plotBottom               = 112, 372
	barWidth, legendColumn, legendRow = 28, 380, 20
)

// buildsPlot draws the CPU time of the builds over that of the plaintext's: bars on a logarithmic axis, which go down from 1 where it is less.
func buildsPlot(sizes []int, all []measured) string {
	var shown []series
	least, most := 0.5, 2.0
	for _, s := range plotted {
		if len(all[0][s.program]) == 0 {
			continue
		}
		shown = append(shown, s)
		for _, m := range all {
			r := m.ratio(ratio{of: s.program, to: plainBuild}, cpu).median
			least, most = min(least, r), max(most, r)
		}
	}
	low, high := math.Log(least/1.15), math.Log(most*1.35) // room for the numbers
	y := func(r float64) float64 {
		return plotBottom - (math.Log(r)-low)/(high-low)*(plotBottom-plotTop)
	}

	var b strings.Builder
	var light, dark, says strings.Builder
	for i, s := range shown {
		fmt.Fprintf(&light, ".s%d{fill:%s}", i, s.light)
		fmt.Fprintf(&dark, ".s%d{fill:%s}", i, s.dark)
		fmt.Fprintf(&says, " %s:", s.label)
		for at, m := range all {
			fmt.Fprintf(&says, " %s with %d,", short(m.ratio(ratio{of: s.program, to: plainBuild}, cpu).median), sizes[at])
		}
	}
	const title = "CPU time of a build, relative to kustomize build of the same Secrets in plaintext"
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="13">
<title id="title">%s</title>
<desc id="desc">Bars for each number of Secrets, on a logarithmic axis; less is better.%s</desc>
<style>.page{fill:#fff}.ink{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}.one{stroke:#1f2328}%s
@media (prefers-color-scheme: dark){.page{fill:#0d1117}.ink{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}.one{stroke:#f0f6fc}%s}</style>
<rect class="page" width="%d" height="%d" rx="6"/>
<text class="ink" x="16" y="26" font-size="15" font-weight="600">%s</text>
`, plotWidth, plotHeight, title, html.EscapeString(strings.TrimSuffix(says.String(), ",")+"."), &light, &dark, plotWidth, plotHeight, title)
	for i, s := range shown {
		x, top := 16+i%2*legendColumn, 40+i/2*legendRow
		fmt.Fprintf(&b, "<rect class=\"s%d\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\"/><text class=\"ink\" x=\"%d\" y=\"%d\">%s</text>\n", i, x, top, x+18, top+11, html.EscapeString(s.label))
	}
	for _, tick := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100} {
		if tick < least/1.15 || tick > most*1.35 {
			continue
		}
		class := "grid"
		if tick == 1 {
			class = "one"
		}
		fmt.Fprintf(&b, "<line class=\"%s\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/><text class=\"dim\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g×</text>\n",
			class, plotLeft, y(tick), plotRight, y(tick), plotLeft-8, y(tick)+4, tick)
	}
	group := float64(plotRight-plotLeft) / float64(len(all))
	for at, m := range all {
		middle := plotLeft + group*(float64(at)+0.5)
		x := middle - float64(len(shown)*barWidth)/2
		for i, s := range shown {
			r := m.ratio(ratio{of: s.program, to: plainBuild}, cpu).median
			top, number := min(y(r), y(1)), y(r)-5
			if r < 1 {
				number = y(r) + 14
			}
			fmt.Fprintf(&b, "<rect class=\"s%d\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/><text class=\"ink\" x=\"%.1f\" y=\"%.1f\" font-size=\"11\" text-anchor=\"middle\">%s</text>\n",
				i, x+1, top, barWidth-2, math.Abs(y(r)-y(1)), x+barWidth/2, number, short(r))
			x += barWidth
		}
		fmt.Fprintf(&b, "<text class=\"ink\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", middle, plotBottom+28, secrets(sizes[at]))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// short is a ratio in three digits.
func short(r float64) string {
	if r < 9.95 {
		return fmt.Sprintf("%.2f", r)
	}
	return fmt.Sprintf("%.1f", r)
}

func secrets(n int) string {
	if n == 1 {
		return "1 Secret"
	}
	return fmt.Sprintf("%d Secrets", n)
}
