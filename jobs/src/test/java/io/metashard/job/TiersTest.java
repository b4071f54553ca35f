package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Location;
import io.metashard.Tier;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class TiersTest {
  private static final String LOCATIONS =
      """
      locations = [
        { name = a, uri = "file:/l/a", tier = fast }
        { name = b, uri = "file:/l/b", tier = slow }
      ]
      """;

  private static Settings settings(String tiers) {
    return Settings.parse("test.conf", tiers + LOCATIONS, List.of());
  }

  private static List<Location> locations(Settings settings) {
    return Locations.configured(settings, new Configuration(false));
  }

  @Test
  void tierOfALocationIsAFreeWordWhereThereAreNone() {
    Settings settings = settings("");
    assertThat(Tiers.from(settings).areNone()).isTrue();
    assertThat(locations(settings)).extracting(Location::tier).containsExactly("fast", "slow");
    assertThat(Tiers.from(settings).of(locations(settings))).isEmpty();
  }

  @Test
  void speedCapacityAndPricesHaveDefaults() {
    Settings settings =
        settings(
            """
            prices { currency = USD, storage-per-gib-month = 0.02, per-1000-reads = 0.4, per-1000-writes = 5 }
            tiers = [
              { name = fast, speed = 4, capacity = 2 GiB, storage-per-gib-month = 0.1 }
              { name = slow }
              { name = none }
            ]
            """);
    Tiers tiers = Tiers.from(settings);
    List<Location> locations = locations(settings);
    assertThat(tiers.of(locations))
        .containsEntry("a", new Tier("fast", 4, 2L << 30))
        .containsEntry("b", new Tier("slow", 1, Long.MAX_VALUE))
        .hasSize(2);
    assertThat(tiers.without(locations)).containsExactly("none");
    assertThat(tiers.prices("fast", null).storagePerMonth(1L << 30)).isEqualTo(0.1);
    assertThat(tiers.prices("fast", null).reads(1000)).isEqualTo(0.4);
    assertThat(tiers.prices("slow", null).storagePerMonth(1L << 30)).isEqualTo(0.02);
  }

  @Test
  void whatMakesNoSenseIsRefusedByName() {
    assertRefused(
        "tiers = [{ name = fast }]\n",
        "Cannot use location b: its tier slow is not in tiers, which are fast; add it there, or name one of these");
    assertRefused(
        "tiers = [{ name = fast }, { name = fast }]\n", "two are named fast; names are unique");
    assertRefused("tiers = [{ name = fast, speed = 0 }]\n", "Cannot use tier fast: speed 0.0");
    assertRefused("tiers = [{ name = \"a b\" }]\n", "Cannot use tier name a b");
    assertRefused("tiers = [{ name = fast, sped = 2 }]\n", "sped");
    assertRefused(
        "tiers = [{ name = fast, storage-per-gib-month = 1 }]\n", "prices.currency is not set");
  }

  private static void assertRefused(String tiers, String message) {
    Settings settings = settings(tiers);
    assertThatThrownBy(() -> locations(settings))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(message);
  }
}
