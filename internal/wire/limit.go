package wire

import "time"

// Limits that both sides keep. They are checked before anything is allocated for a message.
const (
	MaxTopic = 256 // bytes in a topic name; our longest is 66

	MaxConnectPacket = 2 << 10 // bytes of a CONNECT, and of anything else before the log-in is through
	MaxStatus        = 4 << 20 // a published plugin with 1,500 files sends 366 KB each second
	MaxFiles         = 4 << 20 // octoprint/files
	MaxEvent         = 16 << 10
	MaxSmall         = 16 << 10 // every other message of a device

	MaxText     = 200 // runes of a state text, event type, or name inside a message
	MaxFileName = 255 // bytes of a file's name, as file systems have it
	MaxPath     = 1024
	MaxHeaters  = 16 // temperatures in a snapshot: tool0…, bed, chamber
	MaxFlags    = 32
	MaxTreeSize = 5000 // files kept of a tree; the rest is counted, not kept

	MaxTemperature = 1000.0 // °C; beyond this a reading is no temperature
	MinTemperature = -273.15
)

// Rates at which a device reports, and when what it reported is no longer fresh.
const (
	WatchedInterval = time.Second      // while printing or watched
	IdleInterval    = 10 * time.Second // otherwise
	StaleAfter      = 15 * time.Second // at least; else three of the device's own intervals
	KeepAlive       = 3 * time.Second  // of our agent: the server gives up after 1.5 of it, so offline is known within 5 s
)

// PayloadLimit gives the largest payload in bytes that a device may publish on a topic of this kind.
func (k Kind) PayloadLimit() int {
	switch k {
	case KindStatus:
		return MaxStatus
	case KindFiles:
		return MaxFiles
	case KindEvent:
		return MaxEvent
	case KindUnattributed:
		return MaxStatus
	}
	return MaxSmall
}
