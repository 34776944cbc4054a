// Package wire is the protocol that printers and the server speak over MQTT: topics, messages, limits and
// validation. The server, the agent and the simulated fleet import it; it imports nothing of FACTOR.
//
// It covers both what the published octoprint-factor-plugin 2.8.5 sends and what our own agent adds, so that
// there is one decoder for both. Every decoder takes bytes from outside: it checks sizes before it allocates,
// never panics, and returns an error that names the field.
package wire
