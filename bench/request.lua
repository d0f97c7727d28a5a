-- One request, repeated by wrk. Environment: LR_METHOD, LR_PATH, LR_BODY (a file), LR_HEADER, LR_TOKEN.
local path = os.getenv("LR_PATH")
local file = assert(io.open(os.getenv("LR_BODY"), "rb"))
local body = file:read("*a")
file:close()
local headers = { ["Content-Type"] = "application/json" }
headers[os.getenv("LR_HEADER")] = os.getenv("LR_TOKEN")
local fixed
local serial, seed = 0, 0
function init()
  seed = os.time() % 100000
  if not body:find("%%d") then fixed = wrk.format(os.getenv("LR_METHOD"), path, headers, body) end
end
function request()
  if fixed then return fixed end
  serial = serial + 1
  local unique = string.format("%d-%s-%d", seed, tostring({}):match("0x(%x+)") or "0", serial)
  return wrk.format(os.getenv("LR_METHOD"), path, headers, (body:gsub("%%d", unique)))
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %.1f %.0f %.0f %d %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), summary.requests,
    e.status + e.connect + e.read + e.write + e.timeout))
end
