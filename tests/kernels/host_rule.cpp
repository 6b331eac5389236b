// The rule of histogram.cu on the host, for one pair of dtypes: -DSTORED=... -DPLAN=...
#include "histogram.cu"

// As the kernel does: by the shared table, else after a second look.
template <typename Plan, int CUTS, bool INTEGRAL> static unsigned int index_of(Plan x, const Column& column) {
    const Rule<Plan, CUTS, INTEGRAL> rule(column);
    const unsigned int counter = rule.counter_of(x);
    if (counter != rule.outside()) return column.first_cell + column.cuts_before + counter;
    const int special = special_of(x);
    return special >= 0 ? column.n_index + static_cast<unsigned int>(special) : rule.index_of(x);
}

template <typename Plan> static unsigned int any_index_of(Plan x, const Column& column) {
    if constexpr (REAL<Plan>) {
        if (column.cut_table && column.integral) return index_of<Plan, SEARCHED, true>(x, column);
        if (column.n_cuts && column.integral) return index_of<Plan, COMPARED, true>(x, column);
        if (column.integral) return index_of<Plan, 0, true>(x, column);
        if (column.n_cuts && !column.cut_table) return index_of<Plan, COMPARED, false>(x, column);
    }
    return column.cut_table ? index_of<Plan, SEARCHED, false>(x, column) : index_of<Plan, 0, false>(x, column);
}

template <typename Plan> static Plan widened_to(STORED stored) {
    Plan x;
    convert(stored, x);
    return x;
}

// The index of every value of a column.
extern "C" void indices(const Column* column, unsigned int* out) {
    const STORED* values = static_cast<const STORED*>(column->values);
    for (unsigned int i = 0; i < column->n; i++) out[i] = any_index_of(widened_to<PLAN>(values[i]), *column);
}

// What the kernel leaves behind: counts of every column of a launch.
extern "C" void histogram(const Column* columns, unsigned int n_columns) {
    for (const Column* column = columns; column < columns + n_columns; column++) {
        const STORED* values = static_cast<const STORED*>(column->values);
        for (unsigned int i = 0; i < column->n; i++) column->counts[any_index_of(widened_to<PLAN>(values[i]), *column)]++;
    }
}

extern "C" unsigned long column_bytes() { return sizeof(Column); }
