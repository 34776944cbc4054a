package bus

import (
	"sync"
	"testing"
)

func TestTopic(t *testing.T) {
	var topic Topic[int]
	topic.Publish(1) // nobody there
	var got []int
	end := topic.Subscribe(func(n int) { got = append(got, n) })
	other := 0
	topic.Subscribe(func(int) { other++ })
	topic.Publish(2)
	end()
	end() // twice does no harm
	topic.Publish(3)
	if len(got) != 1 || got[0] != 2 || other != 2 {
		t.Errorf("got %v and %d", got, other)
	}
}

func TestTopic_EndWithinACall(t *testing.T) {
	var topic Topic[int]
	var end func()
	end = topic.Subscribe(func(int) { end() })
	topic.Publish(1)
	topic.Publish(2)
}

func TestTopic_Concurrent(t *testing.T) {
	var topic Topic[int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				end := topic.Subscribe(func(int) {})
				topic.Publish(i)
				end()
			}
		})
	}
	wg.Wait()
	if len(topic.subs) != 0 {
		t.Errorf("%d left", len(topic.subs))
	}
}
