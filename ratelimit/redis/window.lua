-- ratelimit.Window for the key KEYS[1], decision by decision the same.
-- ARGV: what to do, cost, pulls, window in seconds, time in microseconds or "".
-- Answer: allowed, used, microseconds until there is more, the time that
-- counts, pulls, window.
--
-- The hash: s span in seconds, x the longest window asked for since i slots, l
-- the newest slot, p and w the limit that the key was last held to; every other
-- field is the number of a slot, and how many pulls it has.

local key, what = KEYS[1], ARGV[1]
local cost, pulls, window, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if not now then
	local t = redis.call('TIME')
	now = t[1] * 1000000 + t[2]
end

local SLOTS = 72
local floor, max, min = math.floor, math.max, math.min
local function slotOf(span) return floor((span * 1000000 + SLOTS - 1) / SLOTS) end
local function text(n) return string.format('%.0f', n) end

local was, counts, numbers = {s = 0, x = 0, i = 0, l = 0, p = 0, w = 0}, {}, {}
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
	local field, value = flat[i], tonumber(flat[i + 1])
	if was[field] then
		was[field] = value
	else
		local number = tonumber(field)
		counts[number] = value
		numbers[#numbers + 1] = number
	end
end
table.sort(numbers)

if what == 'give back' then
	if #numbers == 0 then return {} end
	local number = floor(now / slotOf(was.s))
	local n = min(cost, counts[number] or 0)
	if n > 0 and redis.call('HINCRBY', key, text(number), -n) <= 0 then
		redis.call('HDEL', key, text(number))
	end
	return {}
end
if what == 'count' then
	pulls, window = was.p, was.w
	if #numbers == 0 or window == 0 then return {1, 0, 0, now, pulls, window} end
end

-- is is what becomes of was; gone are the fields that go; with anew, all do.
local is, gone, anew = {s = was.s, x = was.x, i = was.i, l = was.l, p = pulls, w = window}, {}, false

-- regroup gives every pull another slot.
local function regroup(move)
	local old, olds = counts, numbers
	counts, numbers, anew = {}, {}, true
	for _, number in ipairs(olds) do
		local to = move(number)
		if to then
			if not counts[to] then
				counts[to] = 0
				numbers[#numbers + 1] = to
			end
			counts[to] = counts[to] + old[number]
		end
	end
end

local function respan(span)
	local before, slot = slotOf(is.s), slotOf(span)
	local first = floor((now - span * 1000000) / slot)
	regroup(function(number)
		local to = floor(min((number + 1) * before - 1, now) / slot)
		return to >= first and to
	end)
	is.s, is.x, is.i, is.l = span, 0, 0, floor(now / slot)
end

if #numbers > 0 then
	local slot = slotOf(is.s)
	local passed = floor(now / slot) - is.l
	if passed < -SLOTS then
		is.l = is.l + passed
		regroup(function(number) return number + passed end)
	elseif passed < 0 then
		now = is.l * slot
	else
		local first, kept = floor((now - is.s * 1000000) / slot), {}
		for _, number in ipairs(numbers) do
			if number < first then
				gone[#gone + 1] = text(number)
				counts[number] = nil
			else
				kept[#kept + 1] = number
			end
		end
		numbers, is.l, is.i = kept, is.l + passed, min(is.i + passed, 255)
	end
end
if #numbers == 0 then
	is.s, is.x, is.i, is.l = window, 0, 0, floor(now / slotOf(window))
elseif window > is.s then
	respan(window)
elseif window == is.s then
	is.i, is.x = 0, 0
else
	is.x = max(is.x, window)
	if is.i > SLOTS then respan(is.x) end
end

local slot = slotOf(is.s)
local first, used = floor((now - window * 1000000) / slot), 0
for _, number in ipairs(numbers) do
	if number >= first then used = used + counts[number] end
end
local allowed = used + max(cost, 1) <= pulls
if allowed and cost > 0 then
	if not counts[is.l] then
		counts[is.l] = 0
		numbers[#numbers + 1] = is.l
	end
	counts[is.l] = counts[is.l] + cost
	used = used + cost
end

local reset = 0
if used > 0 then
	reset = window * 1000000
	local need = max(used + 1 - pulls, 1)
	for _, number in ipairs(numbers) do
		if number >= first then
			need = need - counts[number]
			if need <= 0 then
				reset = (number + 1) * slot + window * 1000000 - now
				break
			end
		end
	end
end

if what == 'take' and #numbers == 0 then
	if #flat > 0 then redis.call('DEL', key) end
elseif what == 'take' then
	if anew then
		redis.call('DEL', key)
		for _, number in ipairs(numbers) do redis.call('HSET', key, text(number), text(counts[number])) end
	else
		if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
		if allowed and cost > 0 then redis.call('HSET', key, text(is.l), text(counts[is.l])) end
	end
	local changed = {}
	for field, value in pairs(is) do
		if anew or value ~= was[field] then
			changed[#changed + 1] = field
			changed[#changed + 1] = text(value)
		end
	end
	if #changed > 0 then redis.call('HSET', key, unpack(changed)) end
	if anew or allowed and cost > 0 then
		local ends = (numbers[#numbers] + 1) * slot + is.s * 1000000 - now
		redis.call('PEXPIRE', key, text(floor(ends / 1000) + 1))
	end
end
return {allowed and 1 or 0, used, reset, now, pulls, window}
