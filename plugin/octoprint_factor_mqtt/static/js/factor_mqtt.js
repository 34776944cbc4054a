/* The pages of FACTOR MQTT: settings and wizard show the same model. ES5, for OctoPrint 1.4. */
$(function () {
    var POLL_MS = 2000;
    var TICKET_MS = [50, 100, 150, 200, 300]; // most answers are there at once, a camera's takes seconds

    function FactorMqttViewModel(parameters) {
        var self = this;
        self.loginState = parameters[0];
        self.words = FACTOR_MQTT.words();

        // What the plugin says

        self.state = ko.observable(undefined); // of GET state
        self.away = ko.observable(""); // "forbidden" or "away" instead of it
        self.agent = ko.pureComputed(function () {
            var state = self.state();
            return (state && state.keeper.phase === "running" && state.keeper.agent) || null;
        });
        self.allowed = ko.pureComputed(function () {
            return self.away() !== "forbidden";
        });
        self.agentUp = ko.pureComputed(function () {
            return self.agent() !== null;
        });
        self.serverUrl = ko.pureComputed(function () {
            return self.state() ? self.state().server.url : "";
        });
        self.packaged = ko.pureComputed(function () {
            return !self.state() || self.state().server.packaged;
        });
        self.published = ko.pureComputed(function () {
            return self.state() ? self.state().published : null;
        });
        self.trouble = ko.pureComputed(function () {
            var fault = self.state() && self.state().keeper.phase !== "running" && self.state().keeper.fault;
            return fault && fault.code !== "no_server" ? self.words.of(fault) : null; // that is asked for, not a trouble
        });
        self.remark = ko.pureComputed(function () {
            var note = self.state() && self.state().keeper.note;
            return note ? self.words.of(note) : null;
        });
        self.shown = ko.pureComputed(function () {
            if (self.away()) return self.words.phases[self.away()];
            if (!self.state()) return self.words.phases.starting;
            if (self.agent()) return self.words.states[self.agent().state] || self.words.states.starting;
            if (!self.serverUrl()) return self.words.phases.no_server;
            return self.words.phases[self.state().keeper.phase] || self.words.phases.starting;
        });
        self.stateName = ko.pureComputed(function () {
            return self.shown()[0].trim();
        });
        self.stateText = ko.pureComputed(function () {
            return self.shown()[1];
        });
        self.stateLabel = ko.pureComputed(function () {
            return self.shown()[2];
        });

        // Calls. Each has its own "busy" and its own place for a problem.

        self.running = {};
        self.busy = function (name) {
            if (!self.running[name]) self.running[name] = ko.observable(false);
            return self.running[name]();
        };
        self.problems = {};
        _.each(["server", "login", "uuid", "camera", "register", "unregister", "mqtt", "status"], function (place) {
            self.problems[place] = ko.observable(null);
        });

        self.url = function (path) {
            return OctoPrint.getBlueprintUrl("factor_mqtt") + path;
        };

        function errorOf(xhr) {
            if (xhr.status === 401 || xhr.status === 403) return {code: "forbidden"};
            if (xhr.responseJSON && xhr.responseJSON.code) return xhr.responseJSON;
            return {code: xhr.status ? "internal" : "octoprint_away"};
        }

        // A promise of the answer's body; rejected with {code, message}.
        function ask(path, body) {
            var result = $.Deferred();
            function collect(ticket, tries) {
                var pause = TICKET_MS[Math.min(tries, TICKET_MS.length - 1)];
                OctoPrint.get(self.url("errand/" + ticket))
                    .done(function (answer) {
                        if (!answer.done) window.setTimeout(_.partial(collect, ticket, tries + 1), pause);
                        else if (answer.status < 400) result.resolve(answer.body);
                        else result.reject(answer.body || {code: "internal"});
                    })
                    .fail(function (xhr) {
                        result.reject(errorOf(xhr));
                    });
            }
            OctoPrint.postJson(self.url(path), body || {})
                .done(function (answer) {
                    collect(answer.ticket, 0);
                })
                .fail(function (xhr) {
                    result.reject(errorOf(xhr));
                });
            return result.promise();
        }

        function errand(name, place, path, body) {
            self.busy(name);
            self.running[name](true);
            self.problems[place](null);
            return ask(path, body)
                .fail(function (error) {
                    self.problems[place](self.words.of(error, place));
                })
                .always(function () {
                    self.running[name](false);
                    self.refresh();
                });
        }

        function call(name, place, body) {
            return errand(name, place, "call/" + name, body);
        }

        // Login

        self.serverInput = ko.observable("");
        self.changing = ko.observable(false);
        self.confirm = ko.observable(undefined);
        self.askServer = ko.pureComputed(function () {
            return self.state() !== undefined && !self.packaged() && (self.changing() || !self.serverUrl());
        });
        self.changeServer = function () {
            self.serverInput(self.serverUrl());
            self.changing(true);
        };
        function choose(body) {
            errand("server", "server", "server", body).done(function (answer) {
                if (answer.state === "confirm") {
                    self.confirm(answer);
                } else {
                    self.confirm(undefined);
                    self.changing(false);
                }
            });
        }
        self.chooseServer = function () {
            self.confirm(undefined);
            choose({url: self.serverInput()});
        };
        self.confirmServer = function () {
            var asked = self.confirm();
            choose({url: asked.url, fingerprint: asked.fingerprint, unencrypted: !asked.fingerprint});
        };

        self.email = ko.observable("");
        self.password = ko.observable("");
        self.code = ko.observable("");
        self.byCode = ko.observable(false);
        self.byCode.subscribe(function () {
            self.problems.login(null);
        });
        self.printers = ko.observableArray([]);
        self.account = ko.pureComputed(function () {
            return self.agent() && self.agent().account ? self.agent().account.email : "";
        });
        self.account.subscribe(function (account) {
            if (account) self.problems.login(null); // it may have been another window that got in
        });
        function signedIn(answer) {
            self.password("");
            self.code("");
            self.printers(
                _.map(answer.printers || [], function (printer) {
                    return {uuid: printer.uuid, label: (printer.name || printer.uuid) + " · " + printer.uuid.substr(0, 8)};
                })
            );
        }
        self.login = function () {
            call("login", "login", {email: self.email().trim(), password: self.password()}).done(signedIn);
        };
        self.loginByCode = function () {
            call("login", "login", {code: self.code().trim().toUpperCase()}).done(signedIn);
        };
        self.logout = function () {
            self.printers([]);
            call("logout", "login");
        };

        // Register

        self.draft = ko.observable("");
        self.uuid = ko.pureComputed(function () {
            return self.draft() || (self.agent() && self.agent().instance_id) || "";
        });
        self.pending = ko.pureComputed(function () {
            return !!self.agent() && self.agent().state === "pending_registration";
        });
        self.registered = ko.pureComputed(function () {
            return !!self.agent() && !!self.agent().instance_id && self.agent().state !== "no_instance_id";
        });
        self.registeredAt = ko.observable("");
        self.setupUrl = ko.pureComputed(function () {
            if (!self.registered()) return "";
            return self.registeredAt() || self.serverUrl() + "/setup/" + self.agent().instance_id;
        });
        self.printerTitle = ko.pureComputed(function () {
            return self.agent() && self.agent().printer ? self.agent().printer.name : "";
        });
        self.copied = ko.observable(false);
        self.copyUuid = function () {
            copyToClipboard(self.uuid());
            self.copied(true);
            window.setTimeout(function () {
                self.copied(false);
            }, 2000);
        };
        self.reuse = ko.observable();
        function useUuid(answer, uuid) {
            self.draft((answer && answer.uuid) || uuid || "");
        }
        self.createUuid = function () {
            call("uuid", "uuid").done(useUuid);
        };
        self.useExisting = function () {
            var uuid = self.reuse();
            call("uuid_use", "uuid", {uuid: uuid}).done(function (answer) {
                useUuid(answer, uuid);
            });
        };
        self.importPublished = function () {
            var found = self.published();
            call("uuid_use", "uuid", {uuid: found.uuid}).done(function (answer) {
                useUuid(answer, found.uuid);
                if (found.stream_url && !self.streamUrl()) self.streamUrl(found.stream_url);
            });
        };

        self.webcams = ko.observableArray([]);
        self.webcam = ko.observable();
        self.cameraName = ko.observable("");
        self.streamUrl = ko.observable("");
        self.rotation = ko.observable(0);
        self.rotations = _.map([0, 90, 180, 270], function (degrees) {
            return {value: degrees, label: degrees ? _.sprintf(self.words.turned, {degrees: degrees}) : self.words.asItIs};
        });
        self.flipH = ko.observable(false);
        self.flipV = ko.observable(false);
        self.cameraResult = ko.observable(null);
        self.cameraSaved = ko.observable(false);
        self.pictureTransform = ko.pureComputed(function () {
            return "rotate(" + (self.rotation() % 180 ? 0 : self.rotation()) + "deg) scale(" + (self.flipH() ? -1 : 1) + "," + (self.flipV() ? -1 : 1) + ")";
        });
        self.webcam.subscribe(function (webcam) {
            if (!webcam) return;
            self.streamUrl(webcam.stream_url || webcam.snapshot_url);
            self.cameraName(webcam.name);
            self.rotation(webcam.rotation);
            self.flipH(webcam.flip_h);
            self.flipV(webcam.flip_v);
        });
        // Cameras of this computer and its network, which is asked only by this button
        self.offers = ko.observableArray([]);
        self.offersNone = ko.observable(false);
        self.offer = ko.observable();
        self.offer.subscribe(function (offer) {
            if (!offer) return;
            self.webcam(undefined);
            self.streamUrl(offer.url);
            self.cameraName(offer.name);
            self.rotation(0);
            self.flipH(false);
            self.flipV(false);
        });
        self.findCameras = function () {
            self.offersNone(false);
            call("camera_find", "camera").done(function (answer) {
                self.offers(_.map(answer.items, function (offer) {
                    return $.extend({label: offer.name + " (" + (self.words.found[offer.from] || offer.from) + ")"}, offer);
                }));
                self.offersNone(!answer.items.length);
            });
        };
        self.streamUrl.subscribe(function () {
            self.cameraResult(null);
            self.cameraSaved(false);
        });
        self.testCamera = function () {
            self.cameraResult(null);
            call("camera_test", "camera", {url: self.streamUrl().trim()}).done(function (answer) {
                if (answer.ok) {
                    var parts = [_.sprintf(self.words.cameraSummary, {kind: self.words.kinds[answer.kind] || answer.kind || "?", width: answer.width || 0, height: answer.height || 0})];
                    if (answer.codec && answer.kind !== "mjpeg" && answer.kind !== "jpeg") parts.push(answer.codec); // there it is always JPEG
                    if (answer.fps) parts.push(_.sprintf(self.words.cameraRate, {fps: Math.round(answer.fps * 10) / 10}));
                    // Only a picture: an address from elsewhere would be fetched by this browser
                    var picture = /^data:image\/jpeg;base64,/.test(answer.picture || "") ? answer.picture : "";
                    self.cameraResult({ok: true, summary: parts.join(", "), picture: picture});
                } else {
                    self.cameraResult($.extend({ok: false}, self.words.of(answer, "camera")));
                }
            });
        };
        self.saveCamera = function () {
            var camera = {
                name: self.cameraName().trim(),
                stream_url: self.streamUrl().trim(),
                rotation: self.rotation() || 0,
                flip_h: self.flipH(),
                flip_v: self.flipV()
            };
            self.cameraSaved(false);
            return call("camera_save", "camera", camera).done(function () {
                self.cameraSaved(true);
            });
        };
        self.loadWebcams = function () {
            ask("webcams").done(function (answer) {
                self.webcams(answer.items);
                // OctoPrint's own camera is what most owners want: it is there to be tested at once.
                if (!self.streamUrl() && answer.items.length && !(self.agent() && self.agent().camera && self.agent().camera.stream_url_set)) {
                    self.webcam(answer.items[0]);
                }
            });
        };

        self.printerName = ko.observable("");
        self.register = function () {
            // A picture that was found good and not saved was meant to be
            var good = self.cameraResult() && self.cameraResult().ok && !self.cameraSaved();
            if (good) self.saveCamera().done(enrol);
            else enrol();
        };
        function enrol() {
            var body = {uuid: self.uuid()};
            if (self.printerName().trim()) body.name = self.printerName().trim();
            call("register", "register", body).done(function (answer) {
                self.draft("");
                self.registeredAt(/^https?:\/\//.test(answer.setup_url || "") ? answer.setup_url : "");
            });
        }
        self.unregister = function () {
            showConfirmationDialog({
                message: self.words.askUnregister,
                proceed: self.words.unregister,
                onproceed: function () {
                    call("unregister", "unregister").done(function () {
                        self.registeredAt("");
                        self.draft("");
                    });
                }
            });
        };

        // MQTT settings

        function mqttModel(settings) {
            var publish = settings.publish || {};
            return {
                enabled: ko.observable(!!settings.enabled),
                host: ko.observable(settings.host || ""),
                port: ko.observable(settings.port || 1883),
                username: ko.observable(settings.username || ""),
                password: ko.observable(""),
                passwordHint: settings.username ? self.words.keepPassword : "",
                tls: ko.observable(!!settings.tls),
                ca: ko.observable(settings.ca || ""),
                prefix: ko.observable(settings.prefix || "octoprint"),
                qos: ko.observable(settings.qos || 0),
                retain: ko.observable(!!settings.retain),
                publishStatus: ko.observable(publish.status !== false),
                publishProgress: ko.observable(publish.progress !== false),
                publishTemperature: ko.observable(publish.temperature !== false),
                publishEvents: ko.observable(publish.events !== false),
                interval: ko.observable(settings.interval || 1)
            };
        }
        self.mqtt = ko.observable(mqttModel({}));
        self.mqttSteps = ko.observableArray([]);
        self.mqttSaved = ko.observable(false);
        self.mqttLoaded = false;
        function mqttBody() {
            var m = self.mqtt();
            var body = {
                enabled: m.enabled(),
                host: m.host().trim(),
                port: parseInt(m.port(), 10) || 0,
                username: m.username(),
                tls: m.tls(),
                ca: m.ca().trim(),
                prefix: m.prefix().trim(),
                qos: m.qos(),
                retain: m.retain(),
                publish: {status: m.publishStatus(), progress: m.publishProgress(), temperature: m.publishTemperature(), events: m.publishEvents()},
                interval: parseFloat(m.interval()) || 0
            };
            if (m.password()) body.password = m.password(); // left out: the one that is kept
            return body;
        }
        self.loadMqtt = function () {
            self.mqttLoaded = true;
            ask("call/mqtt")
                .done(function (settings) {
                    self.mqtt(mqttModel(settings || {}));
                })
                .fail(function () {
                    self.mqttLoaded = false; // with the agent's next answer
                });
        };
        self.saveMqtt = function () {
            self.mqttSaved(false);
            call("mqtt_save", "mqtt", mqttBody()).done(function () {
                self.mqttSaved(true);
                self.mqtt().password("");
            });
        };
        self.testMqtt = function () {
            self.mqttSteps([]);
            call("mqtt_test", "mqtt", mqttBody()).done(function (answer) {
                self.mqttSteps(
                    _.map(answer.steps || [], function (step) {
                        var words = step.ok ? {text: self.words.ok, cure: ""} : self.words.of(step, "mqtt");
                        return {name: self.words.steps[step.step] || step.step, ok: step.ok, text: words.text, cure: words.cure};
                    })
                );
            });
        };

        // Status

        function when(time) {
            var date = new Date(time);
            return isNaN(date.getTime()) ? "" : date.toLocaleString();
        }
        self.facts = ko.pureComputed(function () {
            var words = self.words;
            var rows = [];
            function fact(name, value, bad) {
                if (value !== undefined && value !== "") rows.push({name: words.facts[name], value: value, bad: !!bad});
            }
            fact("state", self.stateName() + ". " + self.stateText(), !self.agent());
            var state = self.state();
            if (!state) return rows;
            var agent = self.agent();
            if (agent) {
                var about = agent.agent || {};
                fact("agent", _.sprintf(words.version, {version: about.version || state.keeper.agent_version}) + ", " + about.os + "/" + about.arch + ", pid " + about.pid);
                fact("uptime", formatDuration(about.uptime || 0));
                if (about.rss_bytes) fact("memory", formatSize(about.rss_bytes));
                var server = agent.server || {};
                var trouble = server.connected ? null : server.last_error;
                var failed = trouble ? words.of(words.knows(trouble.code) ? trouble : {code: "server_unreachable"}) : null;
                fact(
                    "server",
                    (server.url || state.server.url || words.none) + (failed ? ": " : ", ") +
                        (server.connected ? _.sprintf(words.connected, {since: when(server.since)}) : failed ? failed.text + " " + failed.cure : words.notConnected),
                    !!failed
                );
                var octoprint = agent.octoprint || {};
                if (agent.printer) fact("octoprint", octoprint.reachable ? words.reachable + (octoprint.state ? ", " + octoprint.state : "") : octoprint.last_error ? words.of(octoprint.last_error).text : words.notConnected, !octoprint.reachable);
                if (agent.printer) fact("printer", agent.printer.name);
                fact("uuid", agent.instance_id || words.none);
                var camera = agent.camera || {};
                var blind = camera.stream_url_set ? camera.last_error : null; // without one it was an address that was only tried
                fact("camera", (camera.state === "sent" ? words.cameraSent : camera.stream_url_set ? words.cameraSet : words.cameraNotSet) + (blind ? ": " + words.of(blind, "camera").text : ""), !!blind);
                var broker = agent.broker || {};
                var unsent = broker.last_error ? words.of(broker.last_error, "mqtt") : null;
                if (broker.enabled || unsent)
                    fact(
                        "broker",
                        unsent ? unsent.text + " " + unsent.cure : broker.connected ? _.sprintf(words.connected, {since: when(broker.since)}) : words.notConnected,
                        !!unsent
                    );
                var ffmpeg = agent.ffmpeg || {};
                fact("ffmpeg", ffmpeg.found ? ffmpeg.version || words.ok : words.ffmpegMissing);
                var queue = agent.queue || {};
                fact("queue", queue.events ? _.sprintf(words.events, {count: queue.events, size: formatSize(queue.bytes || 0)}) : words.nothing);
                var offset = agent.clock ? agent.clock.offset_s : null;
                var off = Math.round(Math.abs(offset || 0) * 10) / 10;
                fact("clock", offset === null || offset === undefined ? words.clockUnknown : _.sprintf(off < 2 ? words.clockRight : words.clockOff, {seconds: Math.max(off, 0.1)}), off > 60);
            } else {
                fact("agent", state.keeper.agent_version ? _.sprintf(words.version, {version: state.keeper.agent_version}) : words.none);
                fact("server", state.server.url || words.none);
            }
            var updates = state.updates || {};
            if (updates.fault) fact("update", words.of(updates.fault).text + " " + words.of(updates.fault).cure, true);
            else if (updates.available) fact("update", _.sprintf(words.available, {version: updates.available}));
            else if (updates.checked_at) fact("update", _.sprintf(words.upToDate, {version: state.version, time: when(updates.checked_at * 1000)}));
            else fact("update", _.sprintf(words.notChecked, {version: state.version}));
            return rows;
        });
        self.wayBack = ko.pureComputed(function () {
            var updates = self.state() && self.state().updates;
            return (updates && updates.way_back) || "";
        });
        self.errors = ko.pureComputed(function () {
            var newestLast = (self.agent() && self.agent().errors) || [];
            return _.map(newestLast.slice().reverse(), function (error) {
                return $.extend({at: when(error.at), message: error.message || ""}, self.words.noted(error));
            });
        });
        self.retry = function () {
            errand("retry", "status", "retry");
        };
        self.diagnosis = ko.observable("");
        self.diagnosisCopied = ko.observable(false);
        self.copyDiagnosis = function () {
            errand("diagnosis", "status", "diagnosis").done(function (answer) {
                self.diagnosis(answer.text); // shown too: a browser may refuse the clipboard
                copyToClipboard(answer.text);
                self.diagnosisCopied(true);
            });
        };

        // While somebody looks

        self.looking = 0;
        self.timer = undefined;
        self.refresh = function () {
            window.clearTimeout(self.timer);
            return OctoPrint.get(self.url("state"))
                .done(function (state) {
                    self.away("");
                    self.state(state);
                    if (self.agentUp() && !self.mqttLoaded) self.loadMqtt();
                })
                .fail(function (xhr) {
                    self.away(xhr.status === 401 || xhr.status === 403 ? "forbidden" : "away");
                })
                .always(function () {
                    window.clearTimeout(self.timer);
                    if (self.looking > 0) self.timer = window.setTimeout(self.refresh, POLL_MS);
                });
        };
        self.look = function () {
            self.looking++;
            self.mqttLoaded = false;
            self.refresh().done(self.loadWebcams);
        };
        self.leave = function () {
            self.looking = Math.max(0, self.looking - 1);
            self.password("");
        };
        self.onSettingsShown = self.look;
        self.onSettingsHidden = self.leave;
        self.onBeforeWizardFinish = function () {
            return true;
        };
        self.onWizardDetails = function () {
            if (!self.inWizard) {
                self.inWizard = true;
                self.look();
            }
        };
        self.onWizardFinish = function () {
            if (self.inWizard) self.leave();
            self.inWizard = false;
        };
    }

    OCTOPRINT_VIEWMODELS.push({
        construct: FactorMqttViewModel,
        dependencies: ["loginStateViewModel"],
        elements: ["#settings_plugin_factor_mqtt", "#wizard_plugin_factor_mqtt"]
    });
});
