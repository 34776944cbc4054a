/* What the page says about each code of the plugin, the agent and the server: what happened, and what to do. Written for
 * OctoPrint 1.4 too: no syntax newer than ES5.
 *
 * A word that OctoPrint has as well ends in a space here: the translations of all plugins become OctoPrint's own, and where
 * there is no language pack, single Korean words would stand in its English dialogs. */
var FACTOR_MQTT = FACTOR_MQTT || {};

FACTOR_MQTT.words = function () {
    var address = gettext("Check the network of this computer and the server's address.");
    var again = gettext("It is tried again by itself.");
    var diagnosis = gettext("Try again; if it stays, send the diagnosis of the Status tab to whoever runs the server.");

    // code: [what happened, what to do]
    var faults = {
        finding: [gettext("Cameras are being looked for already."), gettext("Wait some seconds.")],
        // server
        no_server: [gettext("The address of your FACTOR server is missing."), gettext("Enter it under Login.")],
        bad_url: [gettext("That is not an address."), gettext("It looks like https://factor.example.com or http://192.168.1.20:8080.")],
        has_path: [
            gettext("FACTOR below a path of another site is not supported."),
            gettext("Give it a host name or a port of its own, and enter the address without a path.")
        ],
        not_factor: [gettext("No FACTOR server answers at this address."), gettext("Check the address and the port; open it in the browser to see.")],
        redirected: [gettext("The server sends elsewhere."), gettext("Enter the address that the browser shows after it has followed.")],
        name_not_found: [gettext("The server's name is not known on this network."), gettext("Check the spelling and this computer's DNS, or use the server's IP address.")],
        server_unreachable: [gettext("The server does not answer."), address + " " + again],
        tls_untrusted: [
            gettext("The server's certificate is not the one this plugin trusts."),
            gettext("If the server was set up anew, install the plugin again from its address. If not, somebody may be in between.")
        ],
        tls_expired: [gettext("The server's certificate has expired."), gettext("Check this computer's clock; if it is right, the server's operator has to renew the certificate.")],
        clock_wrong: [gettext("This computer's clock is wrong, so no certificate is valid."), gettext("Set the clock (sudo timedatectl set-ntp true) and try again.")],
        fingerprint_wrong: [gettext("The fingerprint has changed since you confirmed it."), gettext("Connect again and compare it with your server's.")],
        // log-in
        invalid_credentials: [gettext("E-mail or password is wrong."), gettext("Check both. A forgotten password is reset on the FACTOR website.")],
        email_unverified: [gettext("This e-mail address is not confirmed yet."), gettext("Open the link in the mail from FACTOR; look into the spam folder, too.")],
        account_disabled: [gettext("This account is disabled."), gettext("Ask whoever runs the server.")],
        slow_down: [gettext("Too many attempts."), gettext("Wait a moment and try again.")],
        code_invalid: [gettext("This code is wrong, used up or older than ten minutes."), gettext("Make a new one on the web page under “Add a printer”.")],
        not_signed_in: [gettext("The login has ended; it lasts half an hour."), gettext("Log in again under Login.")],
        // registration
        uuid_taken: [gettext("This UUID belongs to another account."), gettext("Create a new one, or ask its owner to remove the printer there.")],
        uuid_invalid: [gettext("This is not a device UUID."), gettext("Create a new one.")],
        refused_by_server: [gettext("The server refused this printer."), gettext("It may have been removed on the website: register it anew. The log has the server's words.")],
        not_registered: [gettext("This printer is not registered."), gettext("Register it under Register.")],
        // fetching
        no_agent_for_platform: [
            gettext("The server has no agent for this computer."),
            gettext("Linux on 64-bit PCs and Raspberry Pis (all models) is there; the server must be a release build. For another system build factor-agent and run it by hand.")
        ],
        signature_wrong: [
            gettext("What the server offers is not signed by its own key, so nothing of it was used."),
            gettext("If the server was set up anew, install the plugin again from its address. If not, somebody may be in between.")
        ],
        checksum_wrong: [gettext("What was fetched was damaged on the way, so it was not used."), gettext("Try again; a proxy in between may have changed it.")],
        too_large: [gettext("The answer is larger than it can be."), diagnosis],
        older: [gettext("The server offers an older version than is installed here, so it was refused."), gettext("Update the server, or install the plugin again from its address.")],
        not_importable: [gettext("The new version does not start on this computer, so it was not installed."), gettext("The installed one goes on. The log says why; tell whoever runs the server.")],
        pip_failed: [gettext("The new version could not be installed."), gettext("The log says why: octoprint.log, lines with MQTT.")],
        // this computer
        no_space: [gettext("No space is left on this computer."), gettext("Delete timelapses or files in OctoPrint; 60 MB are enough.")],
        no_permission: [gettext("OctoPrint may not write to its own data folder."), gettext("Give the folder ~/.octoprint/data/factor_mqtt back to OctoPrint's user (chown), or look for a card that has become read-only.")],
        noexec: [
            gettext("Programs may not run from OctoPrint's data folder."),
            gettext("It lies on a file system mounted noexec, or a security policy forbids it: mount it without noexec, or move OctoPrint's base folder.")
        ],
        wrong_platform: [gettext("The agent does not run on this computer's processor."), diagnosis],
        // agent
        agent_crashed: [gettext("The agent ended by itself."), again + " " + gettext("The log says more: octoprint.log, lines with MQTT.")],
        agent_silent: [gettext("The agent does not answer in time."), gettext("This computer may be very busy.") + " " + again],
        agent_busy: [gettext("Another agent is running for this OctoPrint."), gettext("End the factor-agent that was started by hand, or restart OctoPrint.")],
        agent_away: [gettext("The agent is not running."), gettext("The Status tab says why.")],
        went_back: [gettext("The new agent did not work here; the one before is running again."), gettext("You need do nothing. The log says why.")],
        octoprint_key_refused: [gettext("OctoPrint refuses the agent's key."), gettext("Try again; it then gets a new one.")],
        octoprint_unreachable: [gettext("OctoPrint does not answer the agent."), again],
        octoprint_connecting: [gettext("The agent is connecting to OctoPrint."), again],
        not_octoprint: [gettext("What answers the agent is not OctoPrint."), gettext("Restart OctoPrint; another program may have taken its port.")],
        octoprint_identity: [gettext("OctoPrint gave the agent no account."), gettext("Finish OctoPrint's own set-up and check its access control; then try again.")],
        // page
        not_json: [gettext("The request was malformed."), gettext("Reload the page.")],
        too_many: [gettext("Too much at the same time."), gettext("Wait a moment and try again.")],
        internal: [gettext("Something unexpected happened."), gettext("The log says more: octoprint.log, lines with MQTT.")],
        forbidden: [gettext("Only an administrator of this OctoPrint may do this."), gettext("Log in to OctoPrint as one.")],
        octoprint_away: [gettext("OctoPrint does not answer."), gettext("Reload the page once it is back.")]
    };

    // where the same codes are about a camera
    var camera = {
        bad_url: [gettext("That is not a camera's address."), gettext("It begins with http, https, rtsp, rtmp, webrtc, onvif or v4l2, such as http://192.168.1.100:8080/stream or rtsp://192.168.1.100/live.")],
        name_not_found: [gettext("The camera's name is not known on this network."), gettext("Check the spelling, or use the camera's IP address.")],
        unreachable: [gettext("Nothing answers at this address."), gettext("Check host and port, and that the camera is on and reachable from this computer.")],
        refused_login: [gettext("The camera wants a login (401)."), gettext("Put user name and password into the URL: http://user:password@host/…")],
        not_found: [gettext("There is no camera at this path."), gettext("Check the part behind the host; the camera's manual or web page has it. One that begins with v4l2:// has to be plugged in.")],
        not_a_stream: [gettext("There is an answer, but no picture in it."), gettext("This is often the camera's web page: enter the address of the stream itself.")],
        timeout: [gettext("No whole picture came in time."), gettext("Check that the stream plays elsewhere, and that nobody else uses up the camera's connections.")],
        too_large: [gettext("The camera's pictures are too large."), gettext("Set the camera to a smaller picture.")],
        unsupported_codec: [gettext("The stream's video format cannot be used."), gettext("Set the camera to H.264 or MJPEG.")],
        ffmpeg_missing: [gettext("This stream needs ffmpeg, which is not installed here."), gettext("Install it: sudo apt install ffmpeg")],
        address_refused: [gettext("This address is not allowed for a camera."), gettext("Enter the address of the camera itself.")],
        device_busy: [gettext("Another program uses this camera."), gettext("Enter that program's stream instead, such as http://127.0.0.1:8080/?action=stream, or stop it.")],
        device_denied: [gettext("FACTOR may not open the camera."), gettext("Add OctoPrint's user to the group video (sudo usermod -aG video $USER), then restart the computer.")],
        ffmpeg_died: [gettext("ffmpeg could not read this camera."), gettext("Try another camera, or the address of a program that streams this one.")],
        rotation_invalid: [gettext("The picture can be turned by quarters only."), gettext("Choose another one.")]
    };

    // and about somebody's own broker
    var check = gettext("Check the settings above.");
    var broker = {
        bad_host: [gettext("The host is a name or an IP address."), gettext("Leave out mqtt:// and the port.")],
        bad_port: [gettext("The port is a number from 1 to 65535."), gettext("1883 is usual, 8883 with TLS.")],
        bad_qos: [gettext("The QoS is 0, 1 or 2."), check],
        bad_interval: [gettext("The interval is 0.5 to 3600 seconds."), check],
        bad_prefix: [gettext("The prefix is the beginning of a topic."), gettext("It cannot be empty nor have + or # in it.")],
        bad_password: [gettext("User name or password is too long."), check],
        bad_ca: [gettext("The certificate authority is not one."), gettext("Paste all of it, from -----BEGIN CERTIFICATE----- on.")],
        name_not_found: [gettext("The host's name is not known on this network."), gettext("Check the spelling, or use the broker's IP address.")],
        refused: [gettext("The broker's port is closed."), gettext("Check the port, and that the broker is running and listens to other machines.")],
        unreachable: [gettext("The broker cannot be reached."), gettext("Check the network connection, host and port, and the firewall.")],
        timeout: [gettext("The broker does not answer."), gettext("Check host and port, and the firewall.")],
        tls_untrusted: [gettext("The broker's certificate is not trusted."), gettext("Paste the broker's certificate authority, and use the host name that is in its certificate.")],
        tls_expired: [gettext("The broker's certificate has expired."), gettext("Renew it at the broker, and check this computer's clock.")],
        tls_failed: [gettext("No encrypted connection came about."), gettext("Check the broker's TLS settings; TLS 1.2 or newer is needed.")],
        not_tls: [gettext("The broker does not speak TLS on this port."), gettext("Turn Encrypted off, or use its TLS port (often 8883).")],
        not_mqtt: [gettext("What answers on this port does not speak MQTT."), gettext("Check the port; if it is the broker's TLS port, turn Encrypted on.")],
        publish_refused: [gettext("The broker ended the connection at the test message."), gettext("Check the account's rights for topics below the prefix.")],
        rc1: [gettext("rc=1: the broker does not take this protocol version."), gettext("Check the broker's settings: MQTT 3.1.1 must be allowed.")],
        rc2: [gettext("rc=2: the broker refuses the client id."), gettext("Create a new Device UUID (instance id) under Register.")],
        rc3: [gettext("rc=3: the broker is not available."), gettext("Check the broker's state.")],
        rc4: [gettext("rc=4: user name or password is wrong."), gettext("Check both.")],
        rc5: [gettext("rc=5: not allowed."), gettext("Check the account's rights at the broker.")]
    };

    // and what the agent has warned of lately, where no code above says it
    var noted = {
        disk_write: [gettext("Something could not be written to this computer's disk."), gettext("Check that the disk or card is neither full, read-only nor worn out.")],
        disk_read: [gettext("Something could not be read from this computer's disk."), gettext("Check that the disk or card is neither full, read-only nor worn out.")],
        queue_damaged: [gettext("Some events that waited to be sent were damaged, as by a power cut; what could be read was kept."), gettext("If it happens again, check the card.")],
        queue_full: [gettext("The server was away for so long that the oldest events were dropped."), gettext("The history on the website has a gap there; the prints themselves were not affected.")],
        event_lost: [gettext("An event could not be kept, so it is missing in the history."), diagnosis],
        job_damaged: [gettext("The record of the print under way was damaged, as by a power cut: the print counts as a new one."), gettext("If it happens again, check the card.")],
        print_end_unknown: [gettext("How the last print ended could not be found out."), gettext("OctoPrint's file list tells it.")],
        octoprint_message: [gettext("A message of OctoPrint could not be read, so it was left out."), diagnosis],
        octoprint_question: [gettext("OctoPrint did not answer a question of the agent: port, profile, rights or files stay as they were known last."), again],
        files_too_long: [gettext("OctoPrint has too many files for the website to list; it goes on showing the list from before."), gettext("Delete files that are no longer needed.")],
        file_not_carried: [gettext("A file did not get through between the website and this printer."), gettext("The website says why, beside the file.")],
        command_unknown: [gettext("The server asked for something that this agent does not know."), gettext("Update the plugin: Settings → Software Update.")],
        commands_too_many: [gettext("So many commands came that one of them was left out."), gettext("Give it again.")],
        cameras_too_many: [gettext("Too many cameras were opened at once."), gettext("Close some of them on the website.")],
        camera_process: [gettext("The part of the agent that reads the camera ended."), again],
        camera_link: [gettext("The camera's pictures do not get through to the server."), address + " " + again],
        registration_unusable: [gettext("The registration that is kept here cannot be used."), gettext("Register this printer anew under Register.")]
    };
    // of a camera that somebody looks at; its test, whose codes the guide lists, never says these
    camera.uplink_slow = [gettext("The way to the server is too slow for this camera's pictures."), gettext("Set the camera to a smaller picture, or fewer pictures a second.")];
    camera.no_key_frame = [gettext("The camera sends no whole picture to begin with."), gettext("Set its key frame interval to two seconds or less.")];
    var places = {camera: camera, mqtt: broker};

    return {
        /* {text, cure} of an error {code, message, retry_after?} about a place; what is not known is said as it came. */
        of: function (error, place) {
            error = error || {};
            var known = (places[place] && places[place][error.code]) || faults[error.code];
            if (!known) {
                return {text: error.message || error.code || faults.internal[0], cure: diagnosis};
            }
            var cure = known[1];
            if (error.code === "slow_down" && error.retry_after) {
                cure = _.sprintf(gettext("Wait %(seconds)d seconds and try again."), {seconds: Math.ceil(error.retry_after)});
            }
            return {text: known[0], cure: cure};
        },
        knows: function (code) {
            return !!faults[code];
        },
        /* The same of what the agent has warned of; a code of another place has its name before it: camera.not_found. */
        noted: function (warning) {
            var parts = (warning.code || "").split(".");
            var code = parts.pop(), place = parts.pop();
            var known = (places[place] && places[place][code]) || faults[code] || noted[code];
            return known ? {text: known[0], cure: known[1]} : {text: warning.message || "", cure: ""};
        },
        // of the agent, as the Status tab names it: [name, text, label's class]
        states: {
            ready: [gettext("Ready"), gettext("This printer reports to FACTOR."), "label-success"],
            pending_registration: [gettext("Pending registration"), gettext("One step is left on the FACTOR website."), "label-info"],
            not_subscribed: [gettext("Not subscribed"), gettext("Connected, but the server has not let this printer in yet."), "label-warning"],
            no_instance_id: [gettext("No instance id"), gettext("This printer is not registered yet: log in, then register."), "label-info"],
            disconnected: [gettext("Disconnected "), gettext("The server cannot be reached; what happens is kept and sent later. Prints go on."), "label-warning"],
            starting: [gettext("Starting "), gettext("The agent is starting."), ""]
        },
        phases: {
            starting: [gettext("Starting "), gettext("The agent is starting."), ""],
            no_server: [gettext("Address needed"), gettext("Enter the address of your FACTOR server."), "label-info"],
            fetching: [gettext("Fetching"), gettext("The agent for this computer is being fetched from the server."), "label-info"],
            waiting: [gettext("Not running"), gettext("The agent is not running. Prints go on as always."), "label-important"],
            stopped: [gettext("Stopped"), gettext("OctoPrint is ending."), ""],
            forbidden: [gettext("Administrators only"), faults.forbidden[0], ""],
            away: [gettext("No answer"), faults.octoprint_away[0], "label-important"]
        },
        steps: {
            name: gettext("Find the host"),
            tcp: gettext("Reach the port"),
            tls: gettext("Encryption"),
            login: gettext("Log in "),
            publish: gettext("Publish and receive")
        },
        kinds: {mjpeg: "MJPEG", jpeg: "JPEG", rtsp: "RTSP", rtmp: "RTMP", hls: "HLS", whep: "WebRTC", v4l2: "V4L2"},
        found: {v4l2: gettext("on this computer"), onvif: gettext("network, ONVIF"), mdns: gettext("network, mDNS")},
        facts: {
            state: gettext("State "),
            agent: gettext("Agent"),
            uptime: gettext("Running for"),
            memory: gettext("Memory"),
            server: gettext("Server "),
            octoprint: "OctoPrint",
            printer: gettext("Printer "),
            uuid: gettext("Device UUID"),
            camera: gettext("Camera"),
            broker: gettext("Own broker"),
            ffmpeg: "ffmpeg",
            queue: gettext("Waiting to be sent"),
            clock: gettext("Clock"),
            update: gettext("Updates")
        },
        ok: gettext("fine"),
        none: gettext("none yet"),
        choose: gettext("choose…"),
        copy: gettext("Copy"),
        copied: gettext("Copied"),
        connected: gettext("connected since %(since)s"),
        notConnected: gettext("not connected"),
        reachable: gettext("reachable"),
        cameraSet: gettext("set"),
        cameraSent: gettext("set, and known to the server"),
        cameraNotSet: gettext("none set"),
        ffmpegMissing: gettext("not installed (some cameras need it)"),
        events: gettext("%(count)d events, %(size)s"),
        nothing: gettext("nothing"),
        clockRight: gettext("right within %(seconds)s s"),
        clockOff: gettext("off by %(seconds)s s against the server"),
        clockUnknown: gettext("not compared with the server yet"),
        version: gettext("version %(version)s"),
        upToDate: gettext("up to date (%(version)s), looked at %(time)s"),
        available: gettext("version %(version)s is there: Settings → Software Update"),
        notChecked: gettext("not looked for yet (%(version)s installed)"),
        keepPassword: gettext("leave empty to keep it"),
        askUnregister: gettext("Undo the registration on this computer? The printer then no longer reports. On the website it stays, with its history."),
        unregister: gettext("Undo it"),
        cameraSummary: gettext("%(kind)s, %(width)d × %(height)d"),
        cameraRate: gettext("%(fps)s pictures/s"),
        asItIs: gettext("as it is"),
        turned: gettext("turned by %(degrees)d°")
    };
};
