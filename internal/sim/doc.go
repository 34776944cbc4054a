// Package sim is a fleet of simulated printers. They register over the HTTP API and speak to the server through
// its real MQTT door, so that what they show is what real printers would show: heating, printing, pausing,
// failing and going offline, each on its own clock.
package sim
