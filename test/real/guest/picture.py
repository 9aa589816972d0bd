"""One backup as a picture: the guest's writes over time, freeze, cuts and thaw. SVG, no library."""
from html import escape

WIDTH, PANEL, LEFT, RIGHT, TOP = 960, 190, 70, 20, 64
INK, MUTED, WRITES, FROZEN, CUT = "#1b1f24", "#5b6570", "#2f6f9f", "#dbeaf5", "#b3471b"


def rates(samples, step=0.1):
    """samples: (time, requests so far). (time, requests a second) over spans of about `step`."""
    points, begin = [], 0
    for index in range(1, len(samples)):
        span = samples[index][0] - samples[begin][0]
        if span >= step:
            done = samples[index][1] - samples[begin][1]
            points.append(((samples[index][0] + samples[begin][0]) / 2, max(0, done) / span))
            begin = index
    return points


def panel(title, record, origin, seconds, most, top):
    """record: events, samples, intervals of one backup; origin: the time at the left edge."""
    plot = WIDTH - LEFT - RIGHT
    base = top + PANEL - 40

    def x(at):
        return LEFT + min(max(at - origin, 0), seconds) / seconds * plot

    def y(rate):
        return base - rate / most * (PANEL - 84)

    parts = [f'<text x="{LEFT}" y="{top + 14}" class="title">{escape(title)}</text>']
    for begin, end in record["intervals"]:
        parts.append(f'<rect x="{x(begin):.1f}" y="{top + 38}" width="{x(end) - x(begin):.1f}" '
                     f'height="{base - top - 38}" fill="{FROZEN}"/>')
        if any(event["what"] == "cut" and begin <= event["at"] <= end for event in record["events"]):
            parts.append(f'<text x="{x(begin) + 3:.1f}" y="{top + 34}" class="note">frozen {end - begin:.2f} s</text>')
    shown = [(at, rate) for at, rate in rates(record["samples"]) if 0 <= at - origin <= seconds]
    line = " ".join(f"{x(at):.1f},{y(rate):.1f}" for at, rate in shown)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{WRITES}" stroke-width="1.5"/>')
    for event in record["events"]:
        if event["what"] == "cut":
            at = f"{x(event['at']):.1f}"
            parts.append(f'<line x1="{at}" x2="{at}" y1="{top + 52}" y2="{base}" stroke="{CUT}" stroke-width="1.5"/>')
            parts.append(f'<text x="{at}" y="{top + 49}" class="cut" text-anchor="middle">{event["disk"]}</text>')
    parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="{MUTED}"/>')
    for rate in (0, most / 2, most):
        parts.append(f'<text x="{LEFT - 8}" y="{y(rate) + 4:.1f}" class="note" text-anchor="end">{rate:.0f}</text>')
    for second in range(0, int(seconds) + 1):
        parts.append(f'<text x="{x(origin + second):.1f}" y="{base + 16}" class="note" '
                     f'text-anchor="middle">{second}</text>')
    return "\n".join(parts)


def draw(records):
    """records: title -> {events, samples, intervals}, in order, from the top; all on one scale. An SVG document."""
    origins = {title: next(event["at"] for event in one["events"] if event["what"] == "freeze-sent") - 1
               for title, one in records.items()}
    ends = [end - origins[title] for title, one in records.items() for _, end in one["intervals"]]
    seconds = max(ends) + 1
    most = max(rate for one in records.values() for _, rate in rates(one["samples"]))
    most = -(-most // 100) * 100  # up to a round figure
    height = TOP + PANEL * len(records) + 24
    panels = [panel(title, one, origins[title], seconds, most, TOP + PANEL * index)
              for index, (title, one) in enumerate(records.items())]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">
<style>text {{ font-family: system-ui, sans-serif; fill: {INK} }} .head {{ font-size: 17px; font-weight: 600 }}
.title {{ font-size: 14px; font-weight: 600 }} .note {{ font-size: 12px; fill: {MUTED} }}
.cut {{ font-size: 12px; font-weight: 600; fill: {CUT} }}</style>
<rect width="100%" height="100%" fill="white"/>
<text x="{LEFT}" y="28" class="head">A real guest under load while its three disks are backed up</text>
<text x="{LEFT}" y="48" class="note">Write requests a second; a line for each disk's cut; shaded while frozen. Harvester freezes first, snapfreeze lifts that to set its own timer.</text>
{chr(10).join(panels)}
<text x="{WIDTH - RIGHT}" y="{height - 8}" class="note" text-anchor="end">seconds</text>
</svg>
"""
