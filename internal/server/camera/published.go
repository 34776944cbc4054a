package camera

import "time"

// publication is the published plugin's stream.
type publication struct{}

func (st *stream) drivePublished(time.Time) { st.fail(TroubleNoRTSP) }
func (st *stream) stopPublished()           {}

type rtspDoor struct{}

func (s *Service) startRTSP() error         { return nil }
func (s *Service) closeRTSP()               {}
func (s *Service) turnLinks(place) []string { return nil }
