// The rule of histogram.cu on the host, for one pair of dtypes: -DSTORED=... -DPLAN=...
#include "histogram.cu"

template <typename Plan, int CUTS, bool INTEGRAL>
static unsigned int index_of(Plan x, const Column& column) {
    typedef typename Work<Plan>::type Real;
    Plan centre;
    Real scale;
    read(column.centre, centre);
    read(column.scale, scale);
    const Real t = distance<INTEGRAL>(x, centre) * scale;
    const int bits = bits_of(t, column), special = special_of(x);
    if (bits >= column.infinity && special >= 0) return column.n_index + static_cast<unsigned int>(special);
    const int steps = steps_of(t, bits, column);
    const Plan* cuts = static_cast<const Plan*>(column.cuts);
    return static_cast<unsigned int>(column.half + steps + cuts_below<CUTS>(x, steps, cuts, column));
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
