package io.metashard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AmountsTest {
  @Test
  void numbersHaveAsManyDigitsAsCount() {
    assertThat(Amounts.number(0)).isEqualTo("0");
    assertThat(Amounts.number(2)).isEqualTo("2");
    assertThat(Amounts.number(12_345.6)).isEqualTo("12,346");
    assertThat(Amounts.number(99.96)).isEqualTo("100");
    assertThat(Amounts.number(12.34)).isEqualTo("12.3");
    assertThat(Amounts.number(9.996)).isEqualTo("10.0");
    assertThat(Amounts.number(1.4238)).isEqualTo("1.42");
    assertThat(Amounts.number(0.12345)).isEqualTo("0.123");
    assertThat(Amounts.number(0.00123)).isEqualTo("0.0012");
    assertThat(Amounts.number(0.0000123)).isEqualTo("1.23e-05");
    assertThat(Amounts.number(-3.14159)).isEqualTo("-3.14");
    assertThat(Amounts.number(Double.NaN)).isEqualTo("-");
  }

  @Test
  void sharesAreWrittenAsPercent() {
    assertThat(Amounts.percent(0)).isEqualTo("0 %");
    assertThat(Amounts.percent(1)).isEqualTo("100 %");
    assertThat(Amounts.percent(0.1234)).isEqualTo("12.3 %");
    assertThat(Amounts.percent(12.5)).isEqualTo("1,250 %");
    assertThat(Amounts.percent(Double.NaN)).isEqualTo("-");
  }

  @Test
  void countsAreGrouped() {
    assertThat(Amounts.count(1_234_567)).isEqualTo("1,234,567");
    assertThat(Amounts.count(-1)).isEqualTo("-1");
  }
}
