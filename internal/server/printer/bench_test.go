package printer

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// BenchmarkStatus is a status message's whole way: decoded, folded into the twin, compared, told to the bus, and its
// share of the samples, blocks and checkpoints that go to disk (each printer reports ten times between two samples).
// The goal of 30,000 printers at 1 Hz on one core leaves 33 µs, of which the gateway takes 8 to 15.
//
//	go test -run - -bench Status -benchtime 60000x ./internal/server/printer
func BenchmarkStatus(b *testing.B) {
	published, err := os.ReadFile("../../wire/testdata/published.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		body func(i int) []byte
	}{
		{"agent", func(i int) []byte {
			return fmt.Appendf(nil, `{"ts":%d,"status":"printing","interval":1,"state":{"text":"Printing","flags":{"operational":true,"printing":true,"paused":false,"error":false,"ready":false}},`+
				`"progress":{"completion":%v,"filepos":%d,"file_size":9000000,"print_time":%d,"time_left":%d,"time_left_origin":"estimate"},`+
				`"job":{"id":"3b241101-e2bb-4255-8caf-4136c566a962","file":{"name":"benchy.gcode","origin":"local","path":"toys/benchy.gcode","size":9000000},"estimated_time":5400,"filament":{"tool0":{"length":4000.5,"volume":9.6}}},`+
				`"temperatures":{"tool0":{"actual":%v,"target":210},"bed":{"actual":%v,"target":60}},"connection":{"state":"Printing","port":"/dev/ttyUSB0","baudrate":115200,"profile":{"id":"_default","name":"Ender 3","model":"Ender 3","volume":{"width":220,"depth":220,"height":250},"heatedBed":true}},`+
				`"overrides":{"feedrate":100,"flowrate":100},"current_z":%v}`,
				i, float64(i%10000)/100, i*100, i, 5400-i%5400, 209+float64(i%20)/10, 59.5+float64(i%10)/10, float64(i%1000)/5)
		}},
		{"published", func(int) []byte { return published }},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := open(b)
			w.MaxPrinters = 1 << 20
			const printers = 2000
			ids := make([]Identity, printers)
			for i := range ids {
				ids[i] = w.enrol(wire.NewUUID())
			}
			bodies := make([][]byte, 1000)
			for i := range bodies {
				bodies[i] = c.body(i)
			}
			told := 0
			w.Bus.TwinChanged.Subscribe(func(bus.TwinChanged) { told++ })
			b.ReportAllocs()
			b.ResetTimer()
			begun := cpu()
			for i := range b.N {
				if i%printers == 0 {
					w.clock.add(time.Second)
				}
				w.status(ids[i%printers], string(bodies[i%len(bodies)]))
				if i%(10*printers) == 10*printers-1 {
					if err := w.sample(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(cpu()-begun)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(told)/float64(b.N), "told/op")
		})
	}
}

// cpu is what this process has used of the processors so far: the clock on the wall counts others in.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSample is what each 10 s cost with so many printers at work.
func BenchmarkSample(b *testing.B) {
	w := open(b)
	w.MaxPrinters = 1 << 20
	const printers = 3000
	ids := make([]Identity, printers)
	for i := range ids {
		ids[i] = w.enrol(wire.NewUUID())
	}
	var used time.Duration
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		w.clock.add(10 * time.Second)
		for i, id := range ids {
			w.status(id, warm(i+n))
		}
		b.StartTimer()
		begun := cpu()
		if err := w.sample(b.Context()); err != nil {
			b.Fatal(err)
		}
		used += cpu() - begun
	}
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

// BenchmarkStart is loading what was known of 300 printers.
func BenchmarkStart(b *testing.B) {
	w := open(b)
	for i := range 300 {
		w.status(w.enrol(wire.NewUUID()), warm(i))
	}
	if err := w.checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := &Service{DB: w.db, Bus: &bus.Bus{}, Access: w.access, Jobs: w.jobs}
		if err := s.Initialize(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
