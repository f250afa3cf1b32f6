package main

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// The measures of the picture, in pixels but for what is counted. The style below has the size of the font and of a line.
const (
	columns    = 100
	rows       = 31
	charWidth  = 8.4
	lineHeight = 19.0
	margin     = 18.0
	bar        = 34.0

	typed     = 0.016 // seconds for a character
	afterward = 0.9   // seconds that an output is alone on the screen
	aLine     = 0.12  // and for each of its lines
)

// svg draws commands and their output as a terminal that scrolls. Without CSS animations, or where the reader asked for less motion, it is
// the end of the recording: the rules that move anything are in one media query. No script, and no font that is not there already.
func svg(title string, all []recorded) string {
	var body, motion strings.Builder
	type stop struct{ at, shift float64 }
	var stops []stop
	row, now := 0, 0.6
	scroll := func() {
		if over := row - rows; over > 0 {
			stops = append(stops, stop{now, float64(over) * lineHeight})
		}
	}
	text := func(line string) {
		if line != "" {
			fmt.Fprintf(&body, `<text y="%.0f" textLength="%.0f">%s</text>`+"\n", float64(row+1)*lineHeight, charWidth*float64(utf8.RuneCountInString(line)), spans(line))
		}
	}
	for i, r := range all {
		if i > 0 {
			row++
		}
		commands := wrap("$ "+r.command, columns)
		row += len(commands)
		scroll()
		row -= len(commands)
		fmt.Fprintf(&body, "<g id=\"c%d\">\n", i)
		fmt.Fprintf(&motion, "#c%d{animation:a .01s %.2fs both}\n", i, now)
		for j, line := range commands {
			text(line)
			// The cover over what is not typed yet goes to the right, and is gone a little later: where nothing follows the last
			// step, browsers leave it out.
			length := utf8.RuneCountInString(line)
			fmt.Fprintf(&body, `<rect id="t%d-%d" class="w" y="%.1f" width="%.1f"/>`+"\n", i, j, float64(row)*lineHeight+4, charWidth*float64(length)+2)
			took := typed * float64(length)
			fmt.Fprintf(&motion, "#t%d-%d{animation:t %.2fs steps(%d) %.2fs both}\n", i, j, took/0.8, length, now)
			now += took
			row++
		}
		body.WriteString("</g>\n")
		now += 0.35
		if len(r.output) == 0 {
			continue
		}
		row += len(r.output)
		scroll()
		row -= len(r.output)
		fmt.Fprintf(&body, "<g id=\"o%d\">\n", i)
		fmt.Fprintf(&motion, "#o%d{animation:a .01s %.2fs both}\n", i, now)
		for _, line := range r.output {
			text(line)
			row++
		}
		body.WriteString("</g>\n")
		now += afterward + aLine*float64(len(r.output))
	}
	end := max(0, float64(row-rows)*lineHeight)
	motion.WriteString("@keyframes s{0%{transform:none}\n")
	for i, s := range stops {
		from := 0.0
		if i > 0 {
			from = stops[i-1].shift
		}
		fmt.Fprintf(&motion, "%.2f%%{transform:translateY(%.0fpx)}%.2f%%{transform:translateY(%.0fpx)}\n", 100*s.at/now, -from, 100*min(1, (s.at+0.2)/now), -s.shift)
	}
	fmt.Fprintf(&motion, "to{transform:translateY(%.0fpx)}}\n#s{animation:s %.2fs linear both}\n", -end, now)

	width, height := columns*charWidth+2*margin, rows*lineHeight+bar+margin
	pixels := func(f float64) string { return fmt.Sprintf("%.0f", f) }
	return strings.NewReplacer("{width}", pixels(width), "{height}", pixels(height), "{inner width}", pixels(width-1), "{inner height}", pixels(height-1),
		"{middle}", pixels(width/2), "{title}", html.EscapeString(title), "{margin}", pixels(margin), "{bar}", pixels(bar), "{text width}", pixels(columns*charWidth),
		"{text height}", pixels(rows*lineHeight+2), "{end}", pixels(-end), "{motion}", motion.String(), "{body}", body.String()).Replace(frame)
}

// frame is everything but the lines. Colours are of a dark terminal with a border, which stands out on a dark page and on a light one.
const frame = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title" xml:space="preserve">
<title id="title">{title}</title>
<style>
text{font:14px/19px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d3dae3;white-space:pre}
.w{height:19px;fill:#161b22;opacity:0;transform-box:fill-box}
.p{fill:#7ee787}.c{fill:#fff;font-weight:600}.n{fill:#8b98a8}.g{fill:#7ee787}.r{fill:#ff9492}.b{fill:#79c0ff}
@media (prefers-reduced-motion:no-preference){
{motion}@keyframes a{from{opacity:0}}
@keyframes t{from{opacity:1}80%{opacity:1;transform:translateX(100%)}to{opacity:0;transform:translateX(100%)}}
}
</style>
<rect x=".5" y=".5" width="{inner width}" height="{inner height}" rx="9" fill="#161b22" stroke="#6b7684"/>
<path d="M.5 29.5h{inner width}" stroke="#343c46"/>
<circle cx="20" cy="15" r="5.5" fill="#ff5f57"/><circle cx="39" cy="15" r="5.5" fill="#febc2e"/><circle cx="58" cy="15" r="5.5" fill="#28c840"/>
<text class="n" x="{middle}" y="20" text-anchor="middle">{title}</text>
<svg x="{margin}" y="{bar}" width="{text width}" height="{text height}" viewBox="0 4 {text width} {text height}" overflow="hidden">
<g id="s" transform="translate(0 {end})">
{body}</g>
</svg>
</svg>
`

// spans colours a line: commands and their comments, findings, hints, the two sides of a diff, the keys of YAML.
func spans(line string) string {
	span := func(class, text string) string {
		if text == "" {
			return ""
		}
		return `<tspan class="` + class + `">` + html.EscapeString(text) + `</tspan>`
	}
	switch command, ok := strings.CutPrefix(line, "$ "); {
	case ok:
		command, comment := cutComment(command)
		return span("p", "$ ") + span("c", command) + span("n", comment)
	case strings.HasPrefix(line, "  … ") || strings.HasPrefix(line, "… "):
		return span("n", line)
	case strings.Contains(line, ": plaintext-secret: "):
		return span("r", line)
	case strings.HasPrefix(line, "ageseal: hint: "):
		return span("b", "ageseal: hint:") + html.EscapeString(strings.TrimPrefix(line, "ageseal: hint:"))
	case strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "index ") || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "+++ "):
		return span("n", line)
	case strings.HasPrefix(line, "@@ "):
		return span("b", line)
	case strings.HasPrefix(line, "+"):
		return span("g", line)
	case strings.HasPrefix(line, "-") && line != "---":
		return span("r", line)
	}
	return html.EscapeString(line)
}

// cutComment parts a command from the comment behind it, with the space before it.
func cutComment(command string) (before, comment string) {
	i := strings.Index(" "+command, " #") // of the "#" in command
	if i < 0 {
		return command, ""
	}
	before = strings.TrimRight(command[:i], " ")
	return before, command[len(before):]
}

// wrap breaks a command where a terminal would; its comment goes where there is room, in one piece.
func wrap(line string, width int) []string {
	before, comment := cutComment(line)
	comment = strings.TrimSpace(comment)
	if one := before + "   " + comment; comment != "" && utf8.RuneCountInString(one) <= width {
		return []string{one}
	}
	var lines []string
	if comment != "" {
		lines = append(lines, "$ "+comment)
	}
	runes := []rune(before)
	for len(runes) > width {
		lines, runes = append(lines, string(runes[:width])), runes[width:]
	}
	return append(lines, string(runes))
}
