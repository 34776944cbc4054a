package wire

// The highest temperatures that may be asked for while a printer's owner has not said otherwise, in °C. Common hot ends
// with a PTFE tube end at 250, all-metal ones at 300; beds at 120 to 130.
const (
	DefaultMaxTool    = 300.0
	DefaultMaxBed     = 130.0
	DefaultMaxChamber = 80.0

	HighestTool    = 500.0 // what an owner may set at most
	HighestBed     = 200.0
	HighestChamber = 150.0
)

// Limits are one printer's: what its owner allows and its size.
type Limits struct {
	Tool, Bed, Chamber float64 // °C; 0: the defaults
	Volume             Volume  // mm; zero parts are not known and limit nothing
}

// orDefault fills what the owner has not set.
func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		at    *float64
		value float64
	}{{&l.Tool, DefaultMaxTool}, {&l.Bed, DefaultMaxBed}, {&l.Chamber, DefaultMaxChamber}} {
		if *f.at == 0 {
			*f.at = f.value
		}
	}
	return l
}

// Highest gives the highest temperature of a heater: ToolBed, ToolChamber or an extruder's number.
func (l Limits) Highest(tool int) float64 {
	l = l.orDefault()
	switch tool {
	case ToolBed:
		return l.Bed
	case ToolChamber:
		return l.Chamber
	}
	return l.Tool
}
