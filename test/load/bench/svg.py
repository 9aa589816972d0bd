"""Pictures of measurements, as SVG that needs nothing else."""
from html import escape

COLOURS = ["#9aa5b1", "#2f6f9f", "#7cb5ec", "#c0392b", "#e0a030"]
WIDTH, LEFT, BAR, GAP = 760, 110, 26, 14


def bars(title, unit, parts, rows):
    """One bar a row, stacked from its parts. `rows`: name -> a value for each part."""
    longest = max(sum(values) for values in rows.values()) or 1
    scale = (WIDTH - LEFT - 90) / longest
    top, lines = 60, []
    for name, values in rows.items():
        x = LEFT
        lines.append(f'<text x="{LEFT - 8}" y="{top + 18}" text-anchor="end">{escape(name)}</text>')
        for colour, part, value in zip(COLOURS, parts, values):
            lines.append(f'<rect x="{x:.1f}" y="{top}" width="{max(value, 0) * scale:.1f}" height="{BAR}" fill="{colour}">'
                         f'<title>{escape(part)}: {value:.1f} {escape(unit)}</title></rect>')
            x += max(value, 0) * scale
        lines.append(f'<text x="{x + 6:.1f}" y="{top + 18}">{sum(values):.0f} {escape(unit)}</text>')
        top += BAR + GAP
    x = LEFT
    for colour, part in zip(COLOURS, parts):
        lines.append(f'<rect x="{x}" y="36" width="12" height="12" fill="{colour}"/><text x="{x + 16}" y="46">{escape(part)}</text>')
        x += 30 + 7 * len(part)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + 10}" font-family="sans-serif" font-size="12">'
            f'<text x="10" y="20" font-size="15">{escape(title)}</text>' + "".join(lines) + "</svg>\n")
