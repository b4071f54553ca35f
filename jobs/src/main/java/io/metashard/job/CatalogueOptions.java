package io.metashard.job;

/**
 * What one catalogue run may do beyond the configuration.
 *
 * @param allowMissing objects that this run may find missing, whatever {@code
 *     objects.max-missing-percent} says; 0: as many as that
 */
public record CatalogueOptions(long allowMissing) {
  /** Nothing beyond the configuration. */
  public static final CatalogueOptions DEFAULTS = new CatalogueOptions(0);

  public CatalogueOptions {
    if (allowMissing < 0) {
      throw new IllegalArgumentException(
          "Cannot use --allow-missing %d: negative".formatted(allowMissing));
    }
  }
}
