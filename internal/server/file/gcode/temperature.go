package gcode

import (
	"bytes"
	"math"
	"strings"
)

// heater is one heater's targets as the file's commands set them.
type heater struct {
	target float64 // now
	first  float64 // in the first layer
	other  float64 // later, the highest
	most   float64 // ever
	later  bool    // the second layer has begun
	second float64 // when it did
}

func (h *heater) set(target float64) {
	h.target = target
	h.most = math.Max(h.most, target)
	if h.later {
		h.other = math.Max(h.other, target)
	}
}

// layerBegins is told of the second layer and of those above it.
func (h *heater) layerBegins() {
	if !h.later {
		h.later, h.second = true, h.target
	}
}

// printsFirst is told when something is printed for the first time.
func (h *heater) printsFirst() {
	if !h.later && h.target > 0 {
		h.first = h.target
	}
}

// get gives the targets; a file that never changes one keeps the first layer's.
func (h *heater) get() Temperature {
	t := Temperature{First: h.first, Other: h.other}
	if t.Other == 0 {
		t.Other = h.second
	}
	if t.First == 0 && t.Other == 0 {
		t.First = h.most
	}
	if t.First == 0 {
		t.First = t.Other
	}
	if t.Other == 0 {
		t.Other = t.First
	}
	return t
}

// MaxCelsius is above any heater of a printer; beyond it a number is no temperature.
const MaxCelsius = 1000

// heat does the commands that set a heater: M104, M109 nozzle, M140, M190 bed, M141, M191 chamber, G10 P S RepRapFirmware.
func (a *analysis) heat(c *command) {
	target, ok := c.word('S')
	if r, wait := c.word('R'); wait && !ok && c.letter == 'M' {
		target, ok = r, true // wait for cooling, too
	}
	if !ok || target < 0 || target > MaxCelsius {
		return
	}
	switch c.number {
	case 104, 109:
		a.tool(c, 'T').heater.set(target)
	case 140, 190:
		a.bed.set(target)
	case 141, 191:
		a.chamber.set(target)
	case 10:
		a.tool(c, 'P').heater.set(target)
	}
}

// tool is the one that a command names, else the one in use.
func (a *analysis) tool(c *command, letter byte) *toolUse {
	if t, ok := c.word(letter); ok && t >= 0 && t < MaxTools {
		return &a.tools[int(t)]
	}
	return a.current
}

// macroTemperatures are what owners of Klipper call the parameters of their start macros.
var macroTemperatures = map[string]func(*analysis, float64){
	"EXTRUDER":      (*analysis).heatNozzle,
	"EXTRUDER_TEMP": (*analysis).heatNozzle,
	"HOTEND":        (*analysis).heatNozzle,
	"HOTEND_TEMP":   (*analysis).heatNozzle,
	"NOZZLE":        (*analysis).heatNozzle,
	"NOZZLE_TEMP":   (*analysis).heatNozzle,
	"BED":           (*analysis).heatBed,
	"BED_TEMP":      (*analysis).heatBed,
	"CHAMBER":       (*analysis).heatChamber,
	"CHAMBER_TEMP":  (*analysis).heatChamber,
}

func (a *analysis) heatNozzle(t float64)  { a.current.heater.set(t) }
func (a *analysis) heatBed(t float64)     { a.bed.set(t) }
func (a *analysis) heatChamber(t float64) { a.chamber.set(t) }

// longestMacro that may set temperatures; the shape of an object to leave out is longer. Bytes.
const longestMacro = 1 << 10

// macro takes temperatures out of START_PRINT BED_TEMP=60 EXTRUDER_TEMP=210 and of SET_HEATER_TEMPERATURE.
func (a *analysis) macro(line []byte) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	if len(line) > longestMacro {
		return
	}
	words := bytes.Fields(line)
	if len(words) < 2 {
		return
	}
	named := map[string]string{}
	for _, w := range words[1:] {
		if key, value, ok := bytes.Cut(w, []byte("=")); ok {
			named[strings.ToUpper(string(key))] = string(value)
		}
	}
	if strings.EqualFold(string(words[0]), "SET_HEATER_TEMPERATURE") {
		kind := strings.ToUpper(strings.TrimPrefix(named["HEATER"], "heater_"))
		named = map[string]string{kind: named["TARGET"]}
	}
	for key, value := range named {
		if set := macroTemperatures[key]; set != nil {
			if t, _, ok := number([]byte(value), 0); ok && t >= 0 && t <= MaxCelsius {
				set(a, t)
			}
		}
	}
}
