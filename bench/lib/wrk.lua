-- wrk's side of bench/run: which requests to send, and the figures as a line of JSON.
--
--   wrk -s wrk.lua URL -- post BYTES     POSTs with a body of so many bytes
--   wrk -s wrk.lua URL -- close          each request on a connection of its own
--   wrk -s wrk.lua URL -- gzip          GETs what may be compressed
--   wrk -s wrk.lua URL -- hosts COUNT    requests for host-1.example … host-COUNT.example in a scattered order

function init(args)
    if args[1] == "post" then
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/octet-stream"
        wrk.body = string.rep("x", tonumber(args[2]))
    elseif args[1] == "close" then
        wrk.headers["Connection"] = "close"
    elseif args[1] == "gzip" then
        wrk.headers["Accept-Encoding"] = "gzip"
    elseif args[1] == "hosts" then
        local requests, count, next = {}, tonumber(args[2]), 0
        for i = 1, count do
            wrk.headers["Host"] = "host-" .. i .. ".example"
            requests[i] = wrk.format()
        end
        request = function()
            next = (next + 7919) % count -- a prime: visits all of them
            return requests[next + 1]
        end
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.stderr:write(string.format(
        '{"requests": %d, "micros": %d, "bytes": %d, "min": %d, "mean": %f, "p50": %d, "p99": %d, "p999": %d,'
        .. ' "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
        summary.requests, summary.duration, summary.bytes,
        latency.min, latency.mean, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
        errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
