package gcode

// warnings are the commands that a person should know of before a print. Slicers write none of them.
var warnings = map[int]WarningCode{ // by M number
	28:  WritesCard,
	30:  WritesCard,
	302: ColdExtrusion,
	500: SavesSettings,
	502: SavesSettings,
	504: SavesSettings,
	997: UpdatesFirmware,
}

// command takes what is not a move.
func (a *analysis) command(c *command) {
	if c.letter == 'G' {
		switch c.number {
		case 4:
			a.planner.dwell(c)
		case 10:
			if _, set := c.word('P'); set {
				a.heat(c)
			} else {
				a.planner.stop() // retraction by the firmware
			}
		case 11:
			a.planner.stop()
		case 28, 92:
			a.planner.stop()
		}
		return
	}
	if c.letter != 'M' {
		return
	}
	switch c.number {
	case 104, 109, 140, 190, 141, 191:
		a.heat(c)
	case 200: // filament diameter: E counts mm³ from now on, or mm again
		if d, ok := c.word('D'); ok {
			a.said.volumetric = d > 0
			a.said.volumetricDiameter = d
		}
	case 204, 205:
		a.planner.limits(c)
	case 73:
		a.said.remaining(c)
	default:
		if code, ok := warnings[c.number]; ok {
			a.warn(code, c)
		}
	}
}

// warn keeps the first line that is worth a warning.
func (a *analysis) warn(code WarningCode, c *command) {
	if code == ColdExtrusion {
		if s, ok := c.word('S'); ok && s > 0 {
			return // moves the guard, but keeps it
		}
		if p, ok := c.word('P'); ok && p == 0 {
			return
		}
	}
	if a.warned[code] {
		return
	}
	a.warned[code] = true
	text := c.line
	if len(text) > 80 {
		text = text[:80]
	}
	a.report.Warnings = append(a.report.Warnings, Warning{Code: code, Line: a.lines.lines, Text: clean(text)})
}
