package sim

import (
	"encoding/json"
	"math"
	"time"
)

// What the fleet is made of: common machines, and jobs with the names that people give them.
var models = []model{
	{"Ender 3 S1", "/dev/ttyUSB0", 220, 270, 210, 60, false},
	{"Voron 2.4", "/dev/ttyACM0", 350, 330, 245, 100, true},
	{"Prusa MK4", "/dev/ttyACM0", 250, 220, 215, 60, false},
	{"CR-10 Smart Pro", "/dev/ttyUSB0", 300, 400, 205, 55, false},
	{"Artillery Sidewinder X2", "/dev/ttyUSB1", 300, 400, 230, 70, false},
	{"Ender 5 Plus", "/dev/ttyUSB0", 350, 400, 200, 60, false},
	{"Anycubic Kobra 2", "/dev/ttyUSB0", 220, 250, 220, 65, false},
	{"Ratrig V-Core 4", "/dev/ttyACM0", 400, 400, 250, 105, true},
}

var files = []file{
	{"기어박스_하우징_0.2mm.gcode", 312, 38400},
	{"calibration-cube.gcode", 28, 1240},
	{"꽃병_나선형.gcode", 96, 9300},
	{"드론_프레임_v7.gcode", 244, 27800},
	{"benchy_0.2mm_PLA.gcode", 52, 3950},
	{"enclosure-left-panel-v12-final-really-final-with-cable-channel-and-mounting-holes_0.28mm_PETG.gcode", 610, 91200},
	{"케이블_정리함.gcode", 74, 8100},
	{"lid.gcode", 19, 1650},
	{"phone-stand.gcode", 88, 11900},
	{"화분 받침 (대형) 사본.gcode", 181, 30200},
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func ptr[T any](v T) *T { return &v }

func round(v float64, digits int) float64 {
	k := math.Pow10(digits)
	return math.Round(v*k) / k
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own plain values come here
	}
	return b
}
