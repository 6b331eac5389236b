"""What each word of the report means, in a sentence: tooltips and the list at the end of the page."""

from __future__ import annotations

GLOSSARY: dict[str, tuple[str, str]] = {
    "drifted": (
        "Drifted",
        "The p-value is significant at alpha after correction, and at least one effect size reached its"
        " threshold: a difference that is both real and large enough to matter.",
    ),
    "counted": (
        "Reported only",
        "The feature is shown but is no part of the verdict, such as a row number or an identifier that only grows.",
    ),
    "psi": (
        "PSI",
        "Population stability index: (q − p) ln(q / p) summed over the bins, p and q being the smoothed"
        " shares of the reference and of the current rows. Below 0.1 little moved, 0.1 to 0.25 is moderate,"
        " above 0.25 severe.",
    ),
    "ks": (
        "KS",
        "Kolmogorov-Smirnov: the largest gap between the two cumulative distributions, 0 to 1."
        " An interval is certified: the exact value lies inside it.",
    ),
    "ks_p": (
        "KS p",
        "The p-value of the Kolmogorov-Smirnov test alone, before it is combined with others and corrected.",
    ),
    "js_distance": (
        "JS",
        "Jensen-Shannon distance, base 2, over the PSI bins: 0 for equal shares, 1 for nothing in common.",
    ),
    "wasserstein": (
        "W1",
        "Wasserstein distance: how far values moved on average, in standard deviations of the reference.",
    ),
    "hellinger": (
        "Hellinger",
        "Hellinger distance over the PSI bins: 0 for equal shares, 1 for nothing in common.",
    ),
    "cramers_v": (
        "Cramér's V",
        "How strongly the category depends on which of the two samples a row comes from: 0 not at all, 1 entirely.",
    ),
    "kl": (
        "KL",
        "Kullback-Leibler divergence from the reference to the current data, in nats, over the smoothed PSI bins.",
    ),
    "total_variation": (
        "Total variation",
        "The share of rows that would have to change bins to make both sides alike.",
    ),
    "l_infinity": ("L-infinity", "The largest change of any bin's share."),
    "mean_change": (
        "Mean change",
        "How far the mean moved, in standard deviations of the reference. The value has the rows in the middle of their"
        " cells; the rows' own lies in the interval.",
    ),
    "std_change": (
        "Std change",
        "Natural logarithm of the current standard deviation over that of the reference: 0 for none, 0.69 for twice"
        " the spread, −0.69 for half of it. Unknown where one side has no spread.",
    ),
    "out_of_range": (
        "Out of range",
        "Share of current values below the smallest or above the largest of the reference: at least this much, since"
        " counts know the extremes to a cell.",
    ),
    "p_value": (
        "p",
        "How often a difference this large would appear without any drift; one p-value for each feature,"
        " compared with alpha after correction for the number of features.",
    ),
    "missing": (
        "Missing",
        "Share of rows without a value (null or NaN), in the reference and in the current data.",
    ),
    "new": ("New", "Current rows in categories that the reference does not have."),
    "new_rate": (
        "New rate",
        "By how much the share of values in such categories exceeds what the reference foretells by those that it"
        " holds once (Good-Turing), at least 0.",
    ),
}
"""Key of a feature view: (short name, meaning)."""
